import { Refusal } from '@portcullis/contract/refusals';
import type { RequestHandler } from 'express';
import type { Range } from './addresses.js';
import { arrivedOverHttps } from './forwarding.js';
import { hostAllowed } from './hosts.js';
import { ApiProblem } from './problem.js';

/** Refuses what came neither over TLS nor from a trusted proxy that says https (FORCE_HTTPS). */
export const httpsOnly =
  (trusted: readonly Range[]): RequestHandler =>
  (request, _response, next) =>
    arrivedOverHttps(request, trusted)
      ? next()
      : next(new ApiProblem(403, 'https_required', 'This service answers over https only.'));

/** Refuses a Host header that is none of ours, so that a name an attacker points at us is no way in (DNS rebinding). */
export const knownHosts =
  (hosts: readonly string[]): RequestHandler =>
  (request, _response, next) =>
    hostAllowed(request.headers.host, hosts) ? next() : next(new Refusal('origin_forbidden'));
