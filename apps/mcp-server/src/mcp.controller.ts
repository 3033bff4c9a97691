import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import { correlationIdOf } from '@portcullis/service/correlation';
import { arrivedOverHttps, clientAddress } from '@portcullis/service/forwarding';
import type { Range } from '@portcullis/service/addresses';
import type { Request, Response } from 'express';
import { discard, readText } from './body.http.js';
import type { frontDoor, Inbound } from './door.js';

export const DOOR = Symbol('door');
export const ARRIVALS = Symbol('arrivals');

/** How requests reach this server, by its settings. */
export interface Arrivals {
  readonly trustedProxies: readonly Range[];
  readonly forceHttps: boolean;
  /** ms since epoch */
  now(): number;
}

/** The first door: hands every request to /mcp to {@link frontDoor}, unread, and writes what comes back. */
@Controller('mcp')
export class McpController {
  constructor(
    @Inject(DOOR) private readonly door: ReturnType<typeof frontDoor>,
    @Inject(ARRIVALS) private readonly arrivals: Arrivals,
  ) {}

  @All()
  async serve(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { status, headers, body } = await this.door(inboundOf(request, response, this.arrivals));
    response.writeHead(status, {
      ...headers,
      ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
    });
    response.end(body);
    discard(request);
  }
}

function inboundOf(request: Request, response: Response, { trustedProxies, forceHttps, now }: Arrivals): Inbound {
  const one = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return {
    correlationId: correlationIdOf(response),
    at: now(),
    address: clientAddress(request, trustedProxies),
    client: { requestId: one('x-request-id'), toolCallId: one('x-tool-call-id'), traceparent: one('traceparent') },
    method: request.method,
    secure: !forceHttps || arrivedOverHttps(request, trustedProxies),
    host: one('host'),
    origin: one('origin'),
    preflightFor: one('access-control-request-method'),
    authorization: request.headersDistinct.authorization ?? [],
    dpop: request.headersDistinct['dpop'] ?? [],
    contentType: one('content-type'),
    contentEncoding: one('content-encoding'),
    headers: { version: one('mcp-protocol-version'), method: one('mcp-method'), name: one('mcp-name') },
    readBody: (maxBytes) => readText(request, maxBytes),
  };
}
