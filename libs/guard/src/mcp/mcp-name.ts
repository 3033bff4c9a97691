/** Which field of the parameters the header Mcp-Name mirrors, by method (MCP 2026-07-28, standard request headers). */
const SOURCE: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'resources/read': 'uri',
  'prompts/get': 'name',
};

/** What Mcp-Name must say; undefined when the request has nothing for it to mirror. */
export function nameOf(method: string, params: Readonly<Record<string, unknown>>): string | undefined {
  const field = Object.hasOwn(SOURCE, method) ? SOURCE[method] : undefined;
  const value = field === undefined ? undefined : params[field];
  return typeof value === 'string' ? value : undefined;
}

/** True when a header says `name`, plainly or as `=?base64?…?=`; a header that mirrors nothing is not looked at. */
export const mcpNameAgrees = (name: string | undefined, header: string | undefined): boolean =>
  name === undefined || (header !== undefined && decodeName(withoutBlanks(header)) === name);

/** Optional white space of RFC 9110 §5.6.3, off both ends, in linear time. */
export function withoutBlanks(text: string): string {
  const blank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let [start, end] = [0, text.length];
  while (start < end && blank(start)) start++;
  while (start < end && blank(end - 1)) end--;
  return text.slice(start, end);
}

const SENTINEL = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;

/** @returns undefined for a sentinel that is no canonical Base64 of UTF-8 */
function decodeName(header: string): string | undefined {
  if (!(header.startsWith('=?base64?') && header.endsWith('?='))) return header;
  const base64 = SENTINEL.exec(header)?.[1];
  if (base64 === undefined) return undefined;
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
