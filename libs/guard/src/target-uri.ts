const MAX_LENGTH = 2048;
/** RFC 3986 §2: what a URI is made of. WHATWG's parser would mend the rest, and two parsers would then differ. */
const URI = /^https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/i;

/**
 * The form in which two spellings of one `htu` are the same text: without query and fragment, scheme and host in small
 * letters, no default port, no dot segments, percent-encoding only where it must be.
 * @returns undefined for what is no http(s) URI, names a user, or is longer than 2,048 characters
 * @see RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3
 */
export function targetUri(uri: string): string | undefined {
  if (uri.length > MAX_LENGTH || !URI.test(uri)) return undefined;
  const parsed = URL.parse(uri);
  if (parsed === null || parsed.username !== '' || parsed.password !== '') return undefined;
  const path = decoded(parsed.pathname);
  // decoding may have made new dot segments out of %2E
  return path === undefined ? undefined : `${parsed.origin}${new URL(path, parsed.origin).pathname}`;
}

/** RFC 3986 §6.2.2.1 and §6.2.2.2; undefined when a `%` begins no escape */
function decoded(path: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined;
  return path.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const letter = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(letter) ? letter : escape.toUpperCase();
  });
}
