import { discard } from '@portcullis/guard/mcp/body.http';
import type { Range } from '@portcullis/guard/addresses';
import type { Limiter } from '@portcullis/limits/limiter';
import { pathOf, type ArrivalStep } from '@portcullis/service/arrival';
import { ApiProblem } from '@portcullis/service/problem';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AskerOf } from './asker.js';
import { decisions, type Decision } from './decisions.js';
import { readJson } from './json-body.http.js';
import { presentedBy } from './presented.http.js';

export interface LimitsEndpoint {
  readonly limiter: Limiter;
  readonly askerOf: AskerOf;
  readonly trustedProxies: readonly Range[];
  /** ms that a body may take to arrive; 5,000 unless given */
  readonly bodyMs?: number;
}

/**
 * `POST /v1/decide`, `/v1/settle` and `/v1/release` as the last arrival step (nest-app.module.ts): past Nest and Express, and
 * behind every check that those routes share with all others. Who asks is known before anything of the body is read.
 */
export function limitsEndpoint({ limiter, askerOf, trustedProxies, bodyMs = 5_000 }: LimitsEndpoint): ArrivalStep {
  const byPath = decisions(limiter);
  const serve = async (decision: Decision, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // awaited in any case: by the next turn a body that came with its head is here
    const known = await askerOf(presentedBy(request, trustedProxies));
    if (known.dpopNonce !== undefined) response.setHeader('DPoP-Nonce', known.dpopNonce);
    const body = readJson(request, bodyMs);
    const decided = decision(known.asker, body instanceof Promise ? await arrived(body, known) : body);
    const { body: answer, headers } = decided instanceof Promise ? await decided : decided;
    const text = JSON.stringify(answer);
    response.writeHead(200, { ...headers, ...JSON_ANSWER, 'Content-Length': Buffer.byteLength(text) }).end(text);
  };
  return (request, response, next) => {
    const decision = request.method === 'POST' ? byPath.get(pathOf(request)) : undefined;
    if (decision === undefined) return next();
    serve(decision, request, response).catch((error: unknown) => {
      if (error instanceof ApiProblem && error.status === 408) response.setHeader('Connection', 'close');
      next(error);
      discard(request);
    });
  };
}

const JSON_ANSWER = { 'Content-Type': 'application/json; charset=utf-8' };

/** A body may take its time, and whoever sends it may be contained meanwhile. */
async function arrived(body: Promise<unknown>, known: { expectStill(): void }): Promise<unknown> {
  const read = await body;
  known.expectStill();
  return read;
}
