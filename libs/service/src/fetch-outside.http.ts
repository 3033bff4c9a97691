import { Resolver } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { inRanges, type Range } from '@portcullis/guard/addresses';
import { OUTSIDE_RULES, outsideUrl, type AllowedHost, type OutsideRule, type OutsideUrl } from './outside-url.js';
import { outsideTurns } from './outside-turns.js';
import { isSpecialUse } from './special-use.js';

/** The URL was not fetched. Its text names the rule and the host as it was written, never an address we found. */
export class OutsideRefused extends Error {
  override readonly name = 'OutsideRefused';

  constructor(
    readonly rule: OutsideRule,
    host: string,
  ) {
    super(`${host === '' ? 'the URL' : host} ${OUTSIDE_RULES[rule]}`);
  }
}

export interface OutsideInit {
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  readonly accept?: string;
  /** of `body` */
  readonly contentType?: string;
  /** milliseconds for everything from the look-up to the last byte, 3,000 unless said otherwise */
  readonly timeoutMs?: number;
  /** bytes of the answer's body, 64 KiB unless said otherwise */
  readonly maxBytes?: number;
  /** refuse an answer whose Content-Type is not JSON */
  readonly json?: boolean;
  /** who asks, such as a tenant: exchanges of one owner wait for each other; the domain of the host unless given */
  readonly owner?: string;
}
export type FetchOutside = (url: string, init?: OutsideInit) => Promise<Response>;

export interface OutsideOptions {
  /** OUTSIDE_ALLOWED_HOSTS; empty = every public host on port 443 */
  readonly allowed?: readonly AllowedHost[];
  /** every address of a name, IPv4 and IPv6; DNS unless a test brings its own */
  readonly addressesOf?: (hostname: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** For tests, which have no public server: special-use ranges that are let through, and who signed their certificates. */
  readonly forTests?: { readonly reach: readonly Range[]; readonly ca: string };
}

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 64 * 1024;

/**
 * The one way to a URL that a client, a document or a person gave: https with a certificate that fits, no redirects,
 * no credentials, bounded in time, size and number (whoever finds no room waits for it, within the time). Its host is
 * looked up once, every address found must lie in the public Internet, and the connection goes to one of those: a second
 * look-up could answer otherwise (DNS rebinding). The answer's body has been read when it resolves.
 * @throws OutsideRefused
 * @see RFC 9700 §4.11, RFC 6890, OWASP Server-Side Request Forgery Prevention
 */
export function createFetchOutside({
  allowed = [],
  addressesOf = dnsAddresses,
  forTests,
}: OutsideOptions = {}): FetchOutside {
  const turns = outsideTurns();
  const isOutside = (address: string): boolean =>
    !isSpecialUse(address) || (forTests !== undefined && inRanges(address, forTests.reach));

  return async (text, init = {}) => {
    const url = outsideUrl(text, allowed);
    // what is wrong with the text is not repeated: nobody knows what it holds
    if (typeof url === 'string') throw new OutsideRefused(url, '');
    const refuse = (rule: OutsideRule): OutsideRefused => new OutsideRefused(rule, url.hostname);
    const signal = AbortSignal.timeout(init.timeoutMs ?? TIMEOUT_MS);
    const { owner = domainOf(url) } = init;
    const turn = Promise.withResolvers<void>();
    const leave = turns.enter({ host: url.hostname, owner }, turn.resolve);
    if (leave === undefined) throw refuse('busy');
    try {
      await inTime(turn.promise, signal).catch(() => {
        throw refuse('busy');
      });
      const addresses =
        url.literal === undefined ? await inTime(addressesOf(url.hostname, signal), signal) : [url.literal];
      if (addresses.length === 0) throw refuse('unresolved');
      if (!addresses.every(isOutside)) throw refuse('address');
      return await exchange(url, addresses, init, signal, isOutside, forTests?.ca);
    } catch (error) {
      // whatever else failed may hold an address
      if (error instanceof OutsideRefused) throw error;
      throw refuse(signal.aborted ? 'timeout' : error instanceof Broken ? error.rule : 'failed');
    } finally {
      leave();
    }
  };
}

/** Its last two labels: the registered name or, where many share the end of one (`co.uk`), too many in one. */
const domainOf = ({ hostname, literal }: OutsideUrl): string => literal ?? hostname.split('.').slice(-2).join('.');

class Broken extends Error {
  constructor(readonly rule: OutsideRule) {
    super(rule);
  }
}

function exchange(
  url: OutsideUrl,
  addresses: readonly string[],
  { method = 'GET', body, accept = 'application/json', contentType, maxBytes = MAX_BYTES, json = false }: OutsideInit,
  signal: AbortSignal,
  isOutside: (address: string) => boolean,
  ca: string | undefined,
): Promise<Response> {
  const agent = new Agent({ keepAlive: false });
  const pinned = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    const [first] = pinned;
    if (all) callback(null, pinned);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
  const answered = new Promise<Response>((resolve, reject) => {
    const outgoing = request(
      url.href,
      {
        method,
        agent,
        lookup,
        signal,
        maxHeaderSize: 8 * 1024,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        ...(url.literal === undefined && { servername: url.hostname }),
        ...(ca !== undefined && { ca }),
        headers: {
          accept,
          'accept-encoding': 'identity',
          'user-agent': 'portcullis',
          ...(body !== undefined && { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }),
        },
      },
      (incoming) => {
        read(incoming, maxBytes, json).then(resolve, (error: unknown) => {
          incoming.destroy();
          reject(error);
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.on('upgrade', (_incoming, socket) => {
      socket.destroy();
      reject(new Broken('failed'));
    });
    outgoing.on('socket', (socket) => {
      // nothing is said to whom we did not mean to reach, not even where a look-up of our own went wrong
      socket.once('secureConnect', () => {
        if (!isOutside(socket.remoteAddress ?? '')) socket.destroy(new Broken('address'));
      });
    });
    outgoing.end(body);
  });
  return answered.finally(() => agent.destroy());
}

async function read(incoming: IncomingMessage, maxBytes: number, json: boolean): Promise<Response> {
  const { statusCode: status = 0, headers } = incoming;
  if (status >= 300 && status < 400) throw new Broken('redirect');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new Broken('encoding');
  if (json && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(headers['content-type'] ?? ''))
    throw new Broken('not_json');
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw new Broken('too_large');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Broken('too_large');
    chunks.push(chunk);
  }
  if (!incoming.complete) throw new Broken('failed');
  const kept = Object.entries(headers).filter(([name]) => name === 'content-type' || name === 'cache-control');
  return new Response([204, 205].includes(status) ? null : Buffer.concat(chunks), {
    status,
    headers: kept.map(([name, value]): [string, string] => [name, String(value)]),
  });
}

/** DNS itself and not getaddrinfo: that would read /etc/hosts, add search domains and hold one of four threads. */
async function dnsAddresses(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const found = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([promise, late]);
}
