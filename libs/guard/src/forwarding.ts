import { inRanges, parseAddress, type Range } from './addresses.js';

/** What is asked of a request; Node's IncomingMessage has it. */
export interface Arrived {
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean | undefined };
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * The address a request came from: the peer's, or, when the peer is a trusted proxy, the last address in X-Forwarded-For
 * that is none. With no trusted proxies the header is not looked at.
 * @returns '' when the socket is already gone
 */
export function clientAddress(request: Arrived, trusted: readonly Range[]): string {
  let address = request.socket.remoteAddress ?? '';
  if (trusted.length === 0) return plainV4(address);
  const hops = words(request.headers['x-forwarded-for']);
  while (hops.length > 0 && inRanges(address, trusted)) {
    const hop = addressIn(hops.pop()!);
    // a proxy that writes no address has nothing to say about the client
    if (hop === undefined) break;
    address = hop;
  }
  return plainV4(address);
}

/** True when the request came over TLS, or from a trusted proxy that says so for every hop. */
export function arrivedOverHttps(request: Arrived, trusted: readonly Range[]): boolean {
  if (request.socket.encrypted === true) return true;
  if (!inRanges(request.socket.remoteAddress ?? '', trusted)) return false;
  const protocols = words(request.headers['x-forwarded-proto']);
  return protocols.length > 0 && protocols.every((protocol) => protocol.toLowerCase() === 'https');
}

/** An address as proxies write it: some with the port that the connection came from, and IPv6 in brackets then (RFC 3986 §3.2.2). */
function addressIn(hop: string): string | undefined {
  const [, v6, v4, port = '1'] = WITH_PORT.exec(hop) ?? [];
  const address = v6 ?? v4 ?? hop;
  return Number(port) > 65_535 || parseAddress(address) === undefined ? undefined : address;
}
const WITH_PORT = /^(?:\[([^\]]*:[^\]]*)\]|([\d.]+))(?::([1-9]\d{0,4}))?$/;

const words = (header: string | readonly string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .flatMap((line) => line.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');

const plainV4 = (address: string): string =>
  address.startsWith(':') ? (/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address) : address;
