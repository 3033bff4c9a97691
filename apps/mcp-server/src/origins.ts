import { hostAllowed, hostsOf } from '@portcullis/service/hosts';

/** Which names this server answers to, and which web pages may call it. */
export interface Neighbourhood {
  hostAllowed(host: string | undefined): boolean;
  /** an absent Origin is no web page (MCP 2026-07-28, basic/transports/streamable-http, security warning) */
  originAllowed(origin: string | undefined): boolean;
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * @param resource the URL of the MCP endpoint; its host and origin are allowed
 * @param loopback also answers to loopback names, and to pages from there (embedded mode)
 */
export function neighbourhood(
  resource: string,
  { hosts, origins, loopback }: { hosts: readonly string[]; origins: readonly string[]; loopback: boolean },
): Neighbourhood {
  const names = [...hostsOf(resource), ...hosts, ...(loopback ? LOOPBACK : [])];
  const pages = new Set([resource, ...origins].map((url) => URL.parse(url)?.origin));
  return {
    hostAllowed: (host) => hostAllowed(host, names),
    originAllowed(origin) {
      if (origin === undefined) return true;
      const url = URL.parse(origin);
      // `null` and whatever else is no origin of a web page parses to nothing or to the origin "null"
      if (url === null || url.origin === 'null' || url.origin !== origin.toLowerCase()) return false;
      return pages.has(url.origin) || (loopback && LOOPBACK.includes(url.hostname));
    },
  };
}
