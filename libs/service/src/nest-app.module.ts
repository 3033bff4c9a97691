import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import type { Log } from '@portcullis/contract/log';
import express from 'express';
import type { RequestListener } from 'node:http';
import type { Range } from '@portcullis/guard/addresses';
import { alive, fixedHeaders, httpsOnly, inOrder, knownHosts, type ArrivalStep } from './arrival.js';
import { readBodies } from './bodies.module.js';
import { correlation } from './correlation.js';
import { apiHeaders } from '@portcullis/guard/headers';
import { answerProblem, problemHandler, ProblemFilter } from './problem.module.js';
import type { OnRefused } from './refused-calls.js';

export interface ApiOptions {
  readonly log: Log;
  /** UUIDv7: the correlation ids of requests */
  newId(): string;
  /** origins of web pages that may call; none unless given */
  readonly cors?: { readonly origins: readonly string[] };
  /** Host values that are served; every one unless given */
  readonly hosts?: readonly string[];
  /** FORCE_HTTPS */
  readonly forceHttps?: boolean;
  /** proxies whose X-Forwarded-Proto counts (TRUSTED_PROXIES) */
  readonly trustedProxies?: readonly Range[];
  /** URL named in challenges (RFC 9728 §5.1) */
  readonly resourceMetadata?: string;
  /** sees every request first, such as `countRequests(registry)` */
  readonly observe?: ArrivalStep;
  /** the last step before Express, which knows nothing of what this answers by itself, such as oidc-provider's callback */
  readonly direct?: ArrivalStep;
  /** puts calls of the routes that are answered 401 or 403 on record, before they are answered */
  readonly onRefused?: OnRefused;
  /** also reads HTML forms, such as the login's */
  readonly forms?: boolean;
}

/** What scripts of other origins may read besides the body. */
const EXPOSED = ['WWW-Authenticate', 'DPoP-Nonce', 'Retry-After', 'X-Correlation-Id'];

/** What answers requests, for `listen(bound, api.listener)`. */
export interface Api {
  readonly listener: RequestListener;
  close(): Promise<void>;
}

/**
 * A Nest application on Express with what every JSON API of ours needs; it listens nowhere by itself. Order of a request:
 * `observe`, correlation id, security headers, /healthz, https, host, `direct`; then Express: CORS, body, routes.
 * @param module the app's root module: a class or what its `forRoot()` returns
 */
export async function createApi(module: Parameters<typeof NestFactory.create>[0], options: ApiOptions): Promise<Api> {
  const instance = express();
  instance.disable('x-powered-by').disable('etag').set('trust proxy', false);
  // one spelling of a path, so that whoever compares paths (proxies, policies) sees what the router sees
  instance.enable('case sensitive routing').enable('strict routing');
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(instance), {
    bodyParser: false,
    abortOnError: false,
    logger: bridge(options.log),
  });
  const problems = { log: options.log, resourceMetadata: options.resourceMetadata };
  if (options.cors) app.enableCors({ origin: [...options.cors.origins], exposedHeaders: EXPOSED, maxAge: 600 });
  app.use(readBodies({ forms: options.forms ?? false }));
  app.use(problemHandler(problems));
  app.useGlobalFilters(new ProblemFilter({ ...problems, onRefused: options.onRefused }));
  await app.init();
  instance.use(problemHandler(problems));
  const arrive = inOrder([
    ...(options.observe ? [options.observe] : []),
    correlation(options.newId),
    fixedHeaders(apiHeaders),
    alive,
    ...(options.forceHttps ? [httpsOnly(options.trustedProxies ?? [])] : []),
    ...(options.hosts ? [knownHosts(options.hosts)] : []),
    ...(options.direct ? [options.direct] : []),
  ]);
  return {
    listener: (request, response) =>
      arrive(request, response, (error) =>
        error === undefined ? instance(request, response) : answerProblem(error, response, problems),
      ),
    close: () => app.close(),
  };
}

/** Nest's own words go to our log, its chatter at debug. */
function bridge(log: Log): LoggerService {
  const facts = (more: readonly unknown[]) => ({ nest: more.at(-1) });
  return {
    log: (message: unknown, ...more: unknown[]) => log.debug(String(message), facts(more)),
    warn: (message: unknown, ...more: unknown[]) => log.warn(String(message), facts(more)),
    error: (message: unknown, ...more: unknown[]) => log.error(String(message), facts(more)),
    debug: () => {},
    verbose: () => {},
  };
}
