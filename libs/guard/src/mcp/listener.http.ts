import { REFUSALS } from '@portcullis/contract/refusals';
import { Buffer } from 'node:buffer';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Range } from '../addresses.js';
import { arrivedOverHttps, clientAddress } from '../forwarding.js';
import { headerValues } from '../header-values.js';
import { apiHeaders } from '../headers.js';
import type { Answer } from './answer.js';
import { discard, readText } from './body.http.js';
import type { frontDoor } from './door.js';
import type { Inbound } from './inbound.js';
import { acceptsEvents, EVENT_STREAM, eventOf, eventStream } from './event-stream.http.js';
import type { Outlet } from './outlet.js';
import type { Slot } from '../slots.js';

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
    door(new HttpInbound(request, response, correlationId, arrivals)).then(
      (answer) => write(request, response, correlationId, answer),
      // the door answers whatever happens; should it not, the caller learns nothing of why
      () => write(request, response, correlationId, { status: REFUSALS.internal.http, headers: {}, body: undefined }),
    );
  };

const API_HEADERS = Object.entries(apiHeaders).flat();

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
  // a flat list: Node would go through an object by its keys
  const head = [...API_HEADERS, 'X-Correlation-Id', correlationId];
  for (const name in headers) head.push(name, headers[name]!);
  if (body !== undefined) head.push('Content-Length', String(Buffer.byteLength(body)));
  response.writeHead(status, head).end(body);
  discard(request);
}

/** A request of node:http as the door sees it. Most of it is read when it is asked for, which for most of it is never. */
class HttpInbound implements Inbound {
  readonly at: number;
  readonly address: string;
  readonly authorization: readonly string[];
  readonly dpop: readonly string[];

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    readonly correlationId: string,
    private readonly arrivals: Arrivals,
  ) {
    this.at = arrivals.now();
    // a socket that is gone by the time it is asked has forgotten it
    this.address = clientAddress(request, arrivals.trustedProxies);
    this.authorization = headerValues(request, 'authorization');
    this.dpop = headerValues(request, 'dpop');
  }

  get client() {
    return {
      requestId: this.header('x-request-id'),
      toolCallId: this.header('x-tool-call-id'),
      traceparent: this.header('traceparent'),
    };
  }

  get method() {
    return this.request.method ?? '';
  }

  get secure() {
    const { forceHttps, trustedProxies } = this.arrivals;
    return !forceHttps || arrivedOverHttps(this.request, trustedProxies);
  }

  get hosts() {
    return headerValues(this.request, 'host');
  }

  get origin() {
    return this.header('origin');
  }

  get preflightFor() {
    return this.header('access-control-request-method');
  }

  get preflightHeaders() {
    return this.header('access-control-request-headers');
  }

  get contentType() {
    return this.header('content-type');
  }

  get contentEncoding() {
    return this.header('content-encoding');
  }

  get headers() {
    return {
      version: this.header('mcp-protocol-version'),
      method: this.header('mcp-method'),
      name: this.header('mcp-name'),
    };
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  readBody(maxBytes: number, slot: Slot): Promise<string> {
    return readText(this.request, maxBytes, slot);
  }

  isGone(): boolean {
    // A connection that was reset before we looked has no peer any more, and says so in its next turn only: nothing is done
    // for nobody knows whom. One that never had addresses is a Unix domain socket.
    return this.response.destroyed || (this.address === '' && this.request.socket.localAddress !== undefined);
  }

  acceptsEvents(): boolean {
    return acceptsEvents(this.header('accept'));
  }

  openStream(headers: Answer['headers']): Outlet | undefined {
    return this.acceptsEvents() ? openStream(this.response, this.correlationId, headers) : undefined;
  }
}

/** Begins the answer as an event stream, unless it has begun or nobody waits for it. */
function openStream(response: ServerResponse, correlationId: string, headers: Answer['headers']): Outlet | undefined {
  if (response.headersSent || response.destroyed) return undefined;
  response.writeHead(200, { ...apiHeaders, 'X-Correlation-Id': correlationId, ...headers, ...EVENT_STREAM });
  response.flushHeaders();
  return eventStream(response);
}
