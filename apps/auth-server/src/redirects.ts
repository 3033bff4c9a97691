/** RFC 8252 §7.3: where a program on the person's own machine listens. */
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);
export const isLoopbackRedirect = (uri: string): boolean => {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && LOOPBACK.has(url.hostname);
};

/**
 * Why a URI may not be registered as a redirect URI, or undefined when it may. MCP 2026-07-28 (authorization, security
 * considerations) has localhost or https only; schemes of apps can be claimed by any app.
 */
export function redirectProblem(uri: string): string | undefined {
  // a parser drops tabs and line ends, turns backslashes, and takes letters that only look alike
  if (!/^[\x21-\x7e]*$/.test(uri) || uri.includes('\\')) return 'must be printable ASCII (RFC 3986), no backslash';
  const url = URL.parse(uri);
  if (url === null) return 'is not an absolute URI';
  if (uri.includes('#')) return 'must not have a fragment';
  if (url.username !== '' || url.password !== '') return 'must not have a user name or password';
  if (uri.includes('*')) return 'must not have a wildcard: redirect URIs are compared as they are';
  if (url.protocol === 'https:') return undefined;
  return isLoopbackRedirect(uri) ? undefined : 'must be https, or http on 127.0.0.1, [::1] or localhost';
}

/** What a person gets to see of where they will be sent. */
export const redirectHost = (uri: string): string => URL.parse(uri)?.host ?? '';

/**
 * The source expression for `form-action`, which Chromium holds against the redirects that follow a form too.
 * @see CSP Level 3 §2.3.1: a host-source has no spelling for IPv6 addresses, so for those only the scheme is named
 */
export function formTarget(uri: string): string[] {
  const url = URL.parse(uri);
  if (url === null || !/^https?:$/.test(url.protocol)) return [];
  return [url.hostname.startsWith('[') ? url.protocol : url.origin];
}
