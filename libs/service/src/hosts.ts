/**
 * True when a Host header names one of `hosts`. An entry without a port allows every port.
 * @param hosts such as `gate.example.com`, `127.0.0.1:4401`, `[::1]`
 * @see RFC 9110 §7.2
 */
export const hostAllowed = (host: string | undefined, hosts: readonly string[]): boolean => {
  const named = host?.trim().toLowerCase();
  if (!named) return false;
  const withoutPort = named.replace(/:\d+$/, '');
  return hosts.some((entry) => entry.toLowerCase() === named || entry.toLowerCase() === withoutPort);
};

/** The Host values a URL is asked under. */
export const hostsOf = (...urls: readonly string[]): string[] =>
  urls.flatMap((url) => {
    const { host, hostname, port, protocol } = new URL(url);
    return port === '' ? [`${hostname}:${protocol === 'https:' ? 443 : 80}`, hostname] : [host];
  });
