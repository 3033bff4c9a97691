import { Refusal } from '@portcullis/contract/refusals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Range } from '@portcullis/guard/addresses';
import { arrivedOverHttps } from '@portcullis/guard/forwarding';
import { headerValues } from '@portcullis/guard/header-values';
import { hostAllowed } from '@portcullis/guard/hosts';
import { ApiProblem } from './problem.js';

/** What every request passes before anybody routes it: answers at once, or goes on by `next`, an error being a refusal. */
export type ArrivalStep = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/** One step after the other; the first that does not go on ends it. */
export const inOrder =
  (steps: readonly ArrivalStep[]): ArrivalStep =>
  (request, response, done) => {
    const take = (i: number): void => {
      const step = steps[i];
      if (step === undefined) return done();
      step(request, response, (error) => (error === undefined ? take(i + 1) : done(error)));
    };
    take(0);
  };

/** The path as it was sent, without the query; a request target of another form (RFC 9112 §3.2) has none here. */
export function pathOf({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** Sets the headers on every answer, errors included; whoever answers may set others over them. */
export function fixedHeaders(headers: Readonly<Record<string, string>>): ArrivalStep {
  const pairs = Object.entries(headers);
  return (_request, response, next) => {
    for (const [name, value] of pairs) response.setHeader(name, value);
    next();
  };
}

/** Says that the process answers, to whoever asks, and nothing else. */
export const alive: ArrivalStep = (request, response, next) => {
  if (request.method !== 'GET' || pathOf(request) !== '/healthz') return next();
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end('{"status":"alive"}');
};

/** Refuses what came neither over TLS nor from a trusted proxy that says https (FORCE_HTTPS). */
export const httpsOnly =
  (trusted: readonly Range[]): ArrivalStep =>
  (request, _response, next) =>
    arrivedOverHttps(request, trusted)
      ? next()
      : next(new ApiProblem(403, 'https_required', 'This service answers over https only.'));

/**
 * Refuses a Host header that is none of ours, so that a name an attacker points at us is no way in (DNS rebinding), and more
 * than one: a proxy may have looked at the other (RFC 9112 §3.2).
 */
export const knownHosts =
  (hosts: readonly string[]): ArrivalStep =>
  (request, _response, next) => {
    if (headerValues(request, 'host').length > 1)
      return next(new ApiProblem(400, 'invalid_request', 'The request has more than one Host header.'));
    next(hostAllowed(request.headers.host, hosts) ? undefined : new Refusal('origin_forbidden'));
  };
