import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { apiHeaders } from '@portcullis/guard/headers';
import { watchConnections } from './connections.http.js';

/** A port that is taken and answers, at first with 503. */
export interface Bound {
  readonly server: Server;
  /** without a trailing slash */
  readonly url: string;
  readonly port: number;
}

/** PEM texts; `ca` asks clients for certificates of these authorities. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};
/** Connections at a time; further ones are closed at once, before anything is read from them. */
const MAX_CONNECTIONS = 4_096;
/** Requests that one connection may send before the one under way is answered (RFC 9112 §9.3.2): no client of today sends any. */
const MAX_PIPELINED = 16;
const TOO_MANY_AHEAD = 'Too many requests on one connection. Wait for answers.';
const CLOSE_GRACE_MS = 2_000;
/** For answers that are given when the time is over. */
const LAST_WORDS_MS = 250;
const listeners = new WeakMap<Server, RequestListener>();
const closing = new WeakSet<Server>();

/**
 * Takes a port at once, before the service behind it is ready, so that URLs can be handed out.
 * @param port 0 takes a free one
 * @throws Error naming host and port when the port is taken
 */
export async function bind(host: string, port: number, tls?: TlsFiles): Promise<Bound> {
  const serve: RequestListener = (request, response) => {
    if (closing.has(server)) response.setHeader('Connection', 'close');
    if (response.socket === null && waitsInVain(request, response))
      return overloaded(response, TOO_MANY_AHEAD, { Connection: 'close' });
    (listeners.get(server) ?? notYet)(request, response);
  };
  const server: Server = tls
    ? createTlsServer(
        {
          ...TIMEOUTS,
          cert: tls.cert,
          key: tls.key,
          minVersion: 'TLSv1.2',
          ...(tls.ca && { ca: tls.ca, requestCert: true }),
        },
        serve,
      )
    : createServer(TIMEOUTS, serve);
  server.maxConnections = MAX_CONNECTIONS;
  watchConnections(server, tls !== undefined);
  // asked once it is kept: of a connection that was reset since, nobody could say any more where it came from
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => void socket.remoteAddress);
  // Node would answer an Expect it does not know by itself, past every check and every record of ours
  server.on('checkExpectation', serve);
  server.on('clientError', refuseRaw);
  await listening(server, host, port);
  const taken = (server.address() as AddressInfo).port;
  return {
    server,
    port: taken,
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${taken}`,
  };
}

/** Lets the listener answer the port's requests from now on. */
export const listen = (bound: Bound, listener: RequestListener): void => void listeners.set(bound.server, listener);

/**
 * Stops accepting, lets requests under way finish, then cuts what is left. Safe to call twice.
 * @param graceMs how long they may take; 2 s unless given
 * @param giveUp  called when that is over; what is answered then still leaves
 */
export async function closeBound({ server }: Bound, graceMs = CLOSE_GRACE_MS, giveUp?: () => void): Promise<void> {
  closing.add(server);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), 25);
  let cut = setTimeout(() => {
    giveUp?.();
    cut = setTimeout(() => server.closeAllConnections(), giveUp === undefined ? 0 : LAST_WORDS_MS);
  }, graceMs);
  server.closeIdleConnections();
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}

/** Takes a port. @throws Error naming host and port when it cannot be had */
export const listening = (server: NetServer, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(error, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      // a connection that could not be accepted (no file descriptors left) must not end the process
      server.on('error', () => {});
      resolve();
    });
  });

function bindError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(
      `Port ${port} on ${host} is taken. Stop what listens there, or choose another port (npm start -- --port-base N).`,
      {
        cause: error,
      },
    );
  if (error.code === 'EACCES')
    return new Error(`Port ${port} on ${host} needs rights this process lacks. Choose a port above 1023.`, {
      cause: error,
    });
  return new Error(`Cannot listen on ${host}:${port} (${error.code ?? 'unknown reason'}).`, { cause: error });
}

function notYet(_request: IncomingMessage, response: ServerResponse): void {
  overloaded(response, 'The service is starting. Try again shortly.');
}

function overloaded(response: ServerResponse, says: string, more: OutgoingHttpHeaders = {}): void {
  response.writeHead(503, { ...apiHeaders, 'Content-Type': 'application/json', 'Retry-After': '1', ...more });
  response.end(JSON.stringify({ error: 'overloaded', error_description: says }));
}

/** how many requests of a connection wait behind the one under way */
const pipelined = new WeakMap<Socket, number>();

/** A response that has no socket yet is not the next one to be sent. True when too many of its connection are like that. */
function waitsInVain({ socket }: IncomingMessage, response: ServerResponse): boolean {
  const waiting = pipelined.get(socket) ?? 0;
  if (waiting >= MAX_PIPELINED) return true;
  pipelined.set(socket, waiting + 1);
  response.once('close', () => pipelined.set(socket, (pipelined.get(socket) ?? 1) - 1));
  return false;
}

/** What Node.js says no to before there is a request: by its words, with our headers. */
const RAW: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
const RAW_HEADERS = Object.entries({ ...apiHeaders, Connection: 'close', 'Content-Length': '0' })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

function refuseRaw({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  // gone, or in the middle of an answer that this would spoil
  const answering = (socket as Duplex & { _httpMessage?: ServerResponse })._httpMessage?.headersSent === true;
  if (!socket.writable || code === 'ECONNRESET' || answering) return void socket.destroy();
  socket.end(`HTTP/1.1 ${RAW[code] ?? '400 Bad Request'}\r\n${RAW_HEADERS}\r\n`);
}
