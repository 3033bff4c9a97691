import { parseAddress } from '@portcullis/guard/addresses';
import { isSpecialUse } from './special-use.js';

/** Why a URL is not fetched, by rule. The words may be shown to whoever gave the URL: they say nothing of our network. */
export const OUTSIDE_RULES = {
  url: 'must be an absolute https URL of printable ASCII, at most 2000 characters',
  scheme: 'must be https',
  userinfo: 'must have no user name or password',
  fragment: 'must have no fragment',
  hostname: 'must name a host of the public Internet',
  port: 'must use port 443',
  host_not_allowed: 'names a host that is not on the list of those that may be reached',
  address: 'names a host that does not lie in the public Internet',
  unresolved: 'names a host that cannot be found',
  redirect: 'answered with a redirect, which is not followed',
  encoding: 'answered with an encoding that was not asked for',
  too_large: 'answered with more than may be read',
  not_json: 'did not answer with JSON',
  busy: 'is being asked too often at once',
  timeout: 'did not answer in time',
  failed: 'could not be reached over a connection that can be trusted',
} as const;
export type OutsideRule = keyof typeof OUTSIDE_RULES;

/** One entry of OUTSIDE_ALLOWED_HOSTS: a host or `*.` and what its name ends with; with `:port` that port, else 443. */
export interface AllowedHost {
  readonly name: string;
  readonly below: boolean;
  readonly port: number;
}

const LABEL = '[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?';
const NAME = new RegExp(`^(?:${LABEL}\\.)+${LABEL}$`);
const ENTRY = /^(\*\.)?([^:*]+)(?::(\d{1,5}))?$/;

/** @throws RangeError for text that is no such entry */
export function parseAllowedHost(text: string): AllowedHost {
  const [, below, name = '', port = '443'] = ENTRY.exec(text.trim().toLowerCase()) ?? [];
  if (!NAME.test(name) || Number(port) < 1 || Number(port) > 65_535) throw new RangeError('not a host');
  return { name, below: below !== undefined, port: Number(port) };
}

/** RFC 6761, RFC 6762, RFC 7686, RFC 8375 and ICANN's .internal: names that mean something else in every network. */
const LOCAL_NAMES = /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home|corp|onion|arpa)$/;
/** The authority as it was written: no user, no percent-encoding, no letter that a browser would turn into another. */
const WRITTEN = /^https:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:[/?]|$)/i;

/** A URL that may be asked, as far as its text tells. */
export interface OutsideUrl {
  /** with the host's name in lower case */
  readonly href: string;
  readonly hostname: string;
  readonly port: number;
  /** an address where the URL holds one, without brackets */
  readonly literal: string | undefined;
}

/**
 * Whether a URL that a stranger gave may be asked at all, before its host is looked up.
 * @param allowed empty = every public host on port 443
 * @returns the URL in parts, or the rule that it breaks
 */
export function outsideUrl(text: string, allowed: readonly AllowedHost[] = []): OutsideUrl | OutsideRule {
  if (text.length > 2000 || !/^[\x21-\x7e]+$/.test(text) || text.includes('\\')) return 'url';
  const url = URL.parse(text);
  if (url === null) return /^https:/i.test(text) ? 'hostname' : 'url';
  if (url.protocol !== 'https:') return 'scheme';
  if (text.includes('#')) return 'fragment';
  if (url.username !== '' || url.password !== '' || /^https:\/*[^/?]*@/i.test(text)) return 'userinfo';
  if (!WRITTEN.test(text)) return 'hostname';
  const { hostname } = url;
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : isV4(hostname) ? hostname : undefined;
  if (literal === undefined ? !NAME.test(hostname) || LOCAL_NAMES.test(hostname) : isSpecialUse(literal))
    return 'hostname';
  const port = url.port === '' ? 443 : Number(url.port);
  if (allowed.length === 0 && port !== 443) return 'port';
  const named = allowed.filter(({ name, below }) => (below ? hostname.endsWith(`.${name}`) : hostname === name));
  if (allowed.length > 0 && named.length === 0) return 'host_not_allowed';
  if (allowed.length > 0 && !named.some((entry) => entry.port === port)) return 'port';
  return { href: url.href, hostname, port, literal };
}

/** What is wrong with it in words, for whoever registers such a URL. */
export function outsideProblem(text: string, allowed?: readonly AllowedHost[]): string | undefined {
  const said = outsideUrl(text, allowed);
  return typeof said === 'string' ? OUTSIDE_RULES[said] : undefined;
}

/** The parser of URLs has brought every spelling (decimal, octal, hexadecimal, short) into the one with four numbers. */
const isV4 = (hostname: string): boolean => !hostname.includes(':') && parseAddress(hostname) !== undefined;
