/**
 * Records count their changes, and their ETag says the count (RFC 9110 §8.8.3): whoever sends it back as If-Match changes
 * only what they have seen.
 */
export const etagOf = ({ version }: { readonly version: number }): string => `"v${version}"`;

/** The versions that a change may find; undefined = any */
export type Expected = readonly number[] | undefined;

/**
 * @param header If-Match; compared strongly (RFC 9110 §13.1.1), so a weak tag names nothing, nor does one of nobody's
 * @returns undefined for no header and for `*`
 */
export function expectedVersions(header: string | undefined): Expected {
  if (header === undefined || header.trim() === '*') return undefined;
  return header
    .slice(0, 1000)
    .split(',')
    .flatMap((tag) => /^"v(\d{1,9})"$/.exec(tag.trim())?.[1] ?? [])
    .map(Number);
}

/** The record is there, and another than the caller has seen. */
export class VersionDiffers extends Error {
  override readonly name = 'VersionDiffers';
}
