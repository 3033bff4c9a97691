import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Log } from '@portcullis/contract/log';
import type { Caller } from '@portcullis/scopes/caller';
import type { ErrorRequestHandler } from 'express';
import type { ServerResponse } from 'node:http';
import { correlationIdOf } from './correlation.js';
import { problemOf } from './problem.js';
import type { OnRefused, RefusedCall } from './refused-calls.js';

export interface ProblemOptions {
  readonly log: Log;
  /** puts on record that a caller had no right, before they are told */
  readonly onRefused?: OnRefused | undefined;
  /** URL named in challenges (RFC 9728 §5.1); most of our JSON APIs have none */
  readonly resourceMetadata?: string | undefined;
}

/** The last word of a JSON API on whatever was thrown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #options: ProblemOptions;

  constructor(options: ProblemOptions) {
    this.#options = options;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const answer = (problem: unknown): void =>
      answerProblem(problem, http.getResponse(), this.#options, schemeOf(http.getRequest()));
    const refused = this.#options.onRefused && refusedCall(thrown);
    if (!refused) return answer(thrown);
    void this.#options.onRefused?.(http.getRequest(), refused).then(() => answer(thrown), answer);
  }
}

/** How the caller's token came, if there was a good one: passport leaves who called on the request. */
const schemeOf = ({ user }: { readonly user?: unknown }): 'DPoP' | undefined =>
  (user as Caller | undefined)?.jkt === undefined ? undefined : 'DPoP';

function refusedCall(thrown: unknown): RefusedCall | undefined {
  const { status, body } = problemOf(thrown, { correlationId: '' });
  // a flood of bad tokens does not go off the record for being shut out
  const shutOut = body['limitType'] === 'failures';
  if (status !== 401 && status !== 403 && !shutOut) return undefined;
  const { detail } = thrown as { detail?: unknown };
  return { error: body.error, ...(typeof detail === 'string' && { detail }) };
}

/** The same for what Express itself throws, before and behind Nest's routes. */
export const problemHandler =
  (options: ProblemOptions): ErrorRequestHandler =>
  (thrown, request, response, _next) =>
    answerProblem(thrown, response, options, schemeOf(request));

/** The same for what never reached a router. */
export function answerProblem(
  thrown: unknown,
  response: ServerResponse,
  { log, resourceMetadata }: ProblemOptions,
  scheme?: 'DPoP' | undefined,
): void {
  const correlationId = correlationIdOf(response);
  const { status, headers, body } = problemOf(thrown, { correlationId, resourceMetadata, scheme });
  if (status >= 500) log.error('request failed', { correlationId, status, error: thrown });
  else
    log.debug('request refused', {
      correlationId,
      status,
      refusal: body.error,
      detail: (thrown as { detail?: unknown } | null)?.detail,
    });
  // half an answer cannot be taken back; cutting it tells the reader that it is not whole
  if (response.headersSent) return void response.destroy();
  const text = JSON.stringify(body);
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
