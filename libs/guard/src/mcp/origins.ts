import { hostAllowed, hostsOf } from '../hosts.js';

/** Which names this server answers to, and which web pages may call it. */
export interface Neighbourhood {
  hostAllowed(host: string | undefined): boolean;
  /** an absent Origin is no web page (MCP 2026-07-28, basic/transports/streamable-http, security warning) */
  originAllowed(origin: string | undefined): boolean;
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * The Host values that are served: those of the MCP endpoint, those that settings add, and in embedded mode (`loopback`)
 * every loopback name.
 */
export const servedHosts = (resource: string, hosts: readonly string[], loopback: boolean): string[] => [
  ...hostsOf(resource),
  ...hosts,
  ...(loopback ? LOOPBACK : []),
];

/**
 * @param resource the URL of the MCP endpoint; pages of its own origin may call
 * @param names    of {@link servedHosts}
 * @param origins  of other pages that may call
 * @param loopback pages of this machine may call, whatever their port (embedded mode)
 */
export function neighbourhood({
  resource,
  names,
  origins,
  loopback,
}: {
  resource: string;
  names: readonly string[];
  origins: readonly string[];
  loopback: boolean;
}): Neighbourhood {
  let lastAllowed: string | undefined;
  const pages = new Set([resource, ...origins].map((url) => URL.parse(url)?.origin));
  return {
    hostAllowed(host) {
      // nearly every request names the same
      if (host !== undefined && host === lastAllowed) return true;
      const allowed = hostAllowed(host, names);
      if (allowed) lastAllowed = host;
      return allowed;
    },
    originAllowed(origin) {
      if (origin === undefined) return true;
      const url = URL.parse(origin);
      // `null` and whatever else is no origin of a web page parses to nothing or to the origin "null"
      if (url === null || url.origin === 'null' || url.origin !== origin.toLowerCase()) return false;
      return pages.has(url.origin) || (loopback && LOOPBACK.includes(url.hostname));
    },
  };
}
