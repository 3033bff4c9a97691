/**
 * True when a Host header names one of `hosts`.
 * @param hosts such as `127.0.0.1:4401`; without a port (`gate.example`, `[::1]`) every port is meant, with an empty one
 *   (`gate.example:`) none
 * @see RFC 9110 §7.2, RFC 3986 §3.2.3
 */
export const hostAllowed = (host: string | undefined, hosts: readonly string[]): boolean => {
  const [, name, port = ''] = HOST.exec(host?.trim().toLowerCase() ?? '') ?? [];
  if (name === undefined) return false;
  return hosts.some((entry) => {
    const [, entryName, entryPort] = HOST.exec(entry.toLowerCase()) ?? [];
    return entryName === name && (entryPort === undefined || entryPort === port);
  });
};

/** A name or an address (IPv6 in brackets), and the port if one is named. */
const HOST = /^([^:@/\s]+|\[[^\]\s]+\])(?::(\d*))?$/;

/** The Host values that URLs are asked under: with the port, and without where it is the scheme's own. */
export const hostsOf = (...urls: readonly string[]): string[] =>
  urls.flatMap((url) => {
    const { host, hostname, port, protocol } = new URL(url);
    return port === '' ? [`${hostname}:${protocol === 'https:' ? 443 : 80}`, `${hostname}:`] : [host];
  });
