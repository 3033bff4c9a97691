import { apiHeaders } from '@portcullis/guard/headers';
import { discard } from '@portcullis/guard/mcp/body.http';
import type { Range } from '@portcullis/guard/addresses';
import type { Limiter } from '@portcullis/limits/limiter';
import { fixedHeaders, inOrder, pathOf, type ArrivalStep } from '@portcullis/service/arrival';
import { correlation } from '@portcullis/service/correlation';
import { ApiProblem } from '@portcullis/service/problem';
import { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AskerOf, Known } from './asker.js';
import { decisions, type Decided, type Decision } from './decisions.js';
import { readJson } from './json-body.http.js';
import { presentedBy } from './presented.http.js';

export interface LimitsEndpoint {
  readonly limiter: Limiter;
  readonly askerOf: AskerOf;
  readonly trustedProxies: readonly Range[];
  /** what every request of the port has to pass: https, hosts */
  readonly checks: ArrivalStep;
  /** UUIDv7: correlation ids */
  newId(): string;
  /** ms that a body may take to arrive; 5,000 unless given */
  readonly bodyMs?: number;
}

/**
 * `POST /v1/decide`, `/v1/settle` and `/v1/release` as an arrival step (nest-app.module.ts) that comes first: past Nest and
 * Express, with the checks and the headers that every other route has. Who asks is known before anything of the body is read.
 * What is refused goes on with an error, dressed as others are.
 */
export function limitsEndpoint(parts: LimitsEndpoint): ArrivalStep {
  const { limiter, askerOf, trustedProxies, checks, newId, bodyMs = 5_000 } = parts;
  const byPath = decisions(limiter);
  const dress = inOrder([correlation(newId), fixedHeaders(apiHeaders)]);
  const serve = async (decision: Decision, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // awaited in any case: by the next turn a body that came with its head is here
    const known = await askerOf(presentedBy(request, trustedProxies));
    if (known.dpopNonce !== undefined) response.setHeader('DPoP-Nonce', known.dpopNonce);
    const body = readJson(request, bodyMs);
    const decided = decision(known.asker, body instanceof Promise ? await arrived(body, known) : body);
    answer(response, newId(), decided instanceof Promise ? await decided : decided);
  };
  return (request, response, next) => {
    const decision = request.method === 'POST' ? byPath.get(pathOf(request)) : undefined;
    if (decision === undefined) return next();
    const refuse = (error: unknown): void =>
      dress(request, response, () => {
        if (error instanceof ApiProblem && error.status === 408) response.setHeader('Connection', 'close');
        next(error);
        discard(request);
      });
    checks(request, response, (error) => {
      if (error !== undefined) return refuse(error);
      serve(decision, request, response).catch(refuse);
    });
  };
}

const FIXED = [...Object.entries(apiHeaders).flat(), 'Content-Type', 'application/json; charset=utf-8'];

function answer(response: ServerResponse, correlationId: string, { body, headers }: Decided): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  // a flat list: Node would go through an object by its keys
  const head = [...FIXED, 'X-Correlation-Id', correlationId, 'Content-Length', String(length)];
  if (headers?.RateLimit !== undefined) head.push('RateLimit', headers.RateLimit);
  if (headers?.['RateLimit-Policy'] !== undefined) head.push('RateLimit-Policy', headers['RateLimit-Policy']);
  // what is ASCII is written as it lies in memory
  response.writeHead(200, head).end(text, length === text.length ? 'latin1' : 'utf8');
}

/** A body may take its time, and whoever sends it may be contained meanwhile. */
async function arrived(body: Promise<unknown>, known: Pick<Known, 'expectStill'>): Promise<unknown> {
  const read = await body;
  known.expectStill();
  return read;
}
