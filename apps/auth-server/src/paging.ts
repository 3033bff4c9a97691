import * as z from 'zod';

/** Says yes by resolving, such as when the audit event of a change is kept. */
export type Confirm = () => Promise<void>;
/** Says yes to a change of this record. Nobody else can change it until the answer. */
export type ConfirmChange<T> = (before: T) => Promise<void>;

/** A stretch of a list that is ordered by a text key. */
export interface Page {
  /** at most so many items, 1..200 */
  readonly limit: number;
  /** only items whose key comes after this one */
  readonly after: string | undefined;
}
export interface PageOf<T> {
  readonly items: readonly T[];
  /** key of the last item, when more follow */
  readonly next: string | undefined;
}

/** `limit` and `cursor` of a list request. The cursor is opaque to callers: base64url of the last key. */
export const pageQuery = {
  limit: z.coerce.number('must be a number').int().min(1).max(200).default(50),
  cursor: z
    .string()
    .max(400)
    .regex(/^[A-Za-z0-9_-]+$/, 'is not one this API gave')
    .optional(),
};

/** @returns the page a request asks for; a cursor that is none of ours begins after whatever it spells */
export const pageOf = (query: { readonly limit: number; readonly cursor?: string | undefined }): Page => ({
  limit: query.limit,
  after: query.cursor === undefined ? undefined : textOf(query.cursor),
});

export const cursorOf = (key: string | undefined): string | null =>
  key === undefined ? null : Buffer.from(key).toString('base64url');

/** NUL is dropped, since SQL text cannot hold it. */
const textOf = (cursor: string): string => Buffer.from(cursor, 'base64url').toString('utf8').replaceAll('\0', '');

/** One row more than the page was asked of the store, to know whether more follow. */
export function cutPage<T>(rows: readonly T[], { limit }: Page, keyOf: (row: T) => string): PageOf<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? keyOf(last) : undefined };
}
