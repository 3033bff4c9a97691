import { REFUSALS } from '@portcullis/contract/refusals';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Range } from '../addresses.js';
import { arrivedOverHttps, clientAddress } from '../forwarding.js';
import { apiHeaders } from '../headers.js';
import type { Answer } from './answer.js';
import { discard, readText } from './body.http.js';
import type { frontDoor, Inbound } from './door.js';
import { acceptsEvents, EVENT_STREAM, eventOf, eventStream } from './event-stream.http.js';
import type { Outlet } from './outlet.js';

/** How requests reach this server, by its settings. */
export interface Arrivals {
  readonly trustedProxies: readonly Range[];
  readonly forceHttps: boolean;
  /** UUIDv7: correlation ids */
  newId(): string;
  /** ms since epoch */
  now(): number;
}

/**
 * Serves the MCP endpoint on node:http, past every framework: hands each request to {@link frontDoor}, unread, and writes
 * what comes back. Whoever routes gives it the requests to the endpoint's path, whatever their method.
 */
export const mcpListener =
  (door: ReturnType<typeof frontDoor>, arrivals: Arrivals): RequestListener =>
  (request, response) => {
    const correlationId = arrivals.newId();
    door(inboundOf(request, response, correlationId, arrivals)).then(
      (answer) => write(request, response, correlationId, answer),
      // the door answers whatever happens; should it not, the caller learns nothing of why
      () => write(request, response, correlationId, { status: REFUSALS.internal.http, headers: {}, body: undefined }),
    );
  };

function write(request: IncomingMessage, response: ServerResponse, correlationId: string, answer: Answer): void {
  const { status, headers, body, slot, stream } = answer;
  if (slot !== undefined) {
    if (response.destroyed) slot.leave();
    else response.once('close', () => slot.leave());
  }
  if (response.headersSent) return void response.end(body === undefined ? undefined : eventOf(body));
  if (stream !== undefined) {
    const outlet = openStream(response, correlationId, headers);
    return outlet === undefined ? stream.dropped() : stream.opened(outlet);
  }
  const head: Record<string, string | number> = { ...apiHeaders, 'X-Correlation-Id': correlationId, ...headers };
  if (body === undefined) {
    response.writeHead(status, head).end();
  } else {
    head['Content-Length'] = Buffer.byteLength(body);
    response.writeHead(status, head).end(body);
  }
  discard(request);
}

function inboundOf(
  request: IncomingMessage,
  response: ServerResponse,
  correlationId: string,
  { trustedProxies, forceHttps, now }: Arrivals,
): Inbound {
  const { headers } = request;
  const one = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return {
    correlationId,
    at: now(),
    address: clientAddress(request, trustedProxies),
    client: { requestId: one('x-request-id'), toolCallId: one('x-tool-call-id'), traceparent: one('traceparent') },
    method: request.method ?? '',
    secure: !forceHttps || arrivedOverHttps(request, trustedProxies),
    hosts: every(request, 'host'),
    origin: one('origin'),
    preflightFor: one('access-control-request-method'),
    preflightHeaders: one('access-control-request-headers'),
    authorization: every(request, 'authorization'),
    dpop: every(request, 'dpop'),
    contentType: one('content-type'),
    contentEncoding: one('content-encoding'),
    headers: { version: one('mcp-protocol-version'), method: one('mcp-method'), name: one('mcp-name') },
    readBody: (maxBytes, slot) => readText(request, maxBytes, slot),
    isGone: () => response.destroyed,
    header: one,
    acceptsEvents: () => acceptsEvents(one('accept')),
    openStream: (head) => (acceptsEvents(one('accept')) ? openStream(response, correlationId, head) : undefined),
  };
}

/** Begins the answer as an event stream, unless it has begun or nobody waits for it. */
function openStream(response: ServerResponse, correlationId: string, headers: Answer['headers']): Outlet | undefined {
  if (response.headersSent || response.destroyed) return undefined;
  response.writeHead(200, { ...apiHeaders, 'X-Correlation-Id': correlationId, ...headers, ...EVENT_STREAM });
  response.flushHeaders();
  return eventStream(response);
}

/** Every value of a header as it came; Node would silently drop a second Authorization or Host. */
function every({ rawHeaders }: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]!;
    if (header.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[at + 1]!);
  }
  return values;
}
