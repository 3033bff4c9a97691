import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Log } from '@portcullis/contract/log';
import type { ErrorRequestHandler } from 'express';
import type { ServerResponse } from 'node:http';
import { correlationIdOf } from './correlation.js';
import { problemOf } from './problem.js';

export interface ProblemOptions {
  readonly log: Log;
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
    answerProblem(thrown, host.switchToHttp().getResponse<ServerResponse>(), this.#options);
  }
}

/** The same for what Express itself throws, before and behind Nest's routes. */
export const problemHandler =
  (options: ProblemOptions): ErrorRequestHandler =>
  (thrown, _request, response, _next) =>
    answerProblem(thrown, response, options);

/** The same for what never reached a router. */
export function answerProblem(
  thrown: unknown,
  response: ServerResponse,
  { log, resourceMetadata }: ProblemOptions,
): void {
  const correlationId = correlationIdOf(response);
  const { status, headers, body } = problemOf(thrown, { correlationId, resourceMetadata });
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
