import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import type { Log } from '@portcullis/contract/log';
import express, { json, urlencoded, type RequestHandler } from 'express';
import type { Range } from './addresses.js';
import { httpsOnly, knownHosts } from './arrival.module.js';
import { correlation } from './correlation.module.js';
import { problemHandler, ProblemFilter } from './problem.module.js';
import { securityHeaders } from './security-headers.module.js';

export interface ApiOptions {
  readonly log: Log;
  /** origins of web pages that may call; none unless given */
  readonly cors?: { readonly origins: readonly string[] };
  /** Host values that are served; every one unless given */
  readonly hosts?: readonly string[];
  /** FORCE_HTTPS */
  readonly forceHttps?: boolean;
  /** proxies whose X-Forwarded-Proto counts */
  readonly trustedProxies?: readonly Range[];
  /** URL named in challenges (RFC 9728 §5.1) */
  readonly resourceMetadata?: string;
  /** run in order after the security headers and before any body is read, such as oidc-provider's callback */
  readonly before?: readonly RequestHandler[];
  /** paths whose bodies are left to their handlers, such as /mcp */
  readonly unparsed?: readonly string[];
  /** also reads HTML forms (application/x-www-form-urlencoded, 10 kB) */
  readonly forms?: boolean;
}

const JSON_LIMIT = '100kb';

/**
 * A Nest application on Express with what every JSON API of ours needs, ready for `mount(bound, app)`; it listens
 * nowhere by itself. Order of a request: correlation id, security headers, /healthz, https, host, `before`, CORS, body, routes.
 * @param module the app's root module: a class or what its `forRoot()` returns
 */
export async function createApi(
  module: Parameters<typeof NestFactory.create>[0],
  options: ApiOptions,
): Promise<NestExpressApplication> {
  const instance = express();
  instance.disable('x-powered-by').disable('etag').set('trust proxy', false);
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(instance), {
    bodyParser: false,
    abortOnError: false,
    logger: bridge(options.log),
  });
  const problems = { log: options.log, resourceMetadata: options.resourceMetadata };
  app.use(correlation, securityHeaders(), alive);
  if (options.forceHttps) app.use(httpsOnly(options.trustedProxies ?? []));
  if (options.hosts) app.use(knownHosts(options.hosts));
  for (const handler of options.before ?? []) app.use(handler);
  if (options.cors) app.enableCors({ origin: [...options.cors.origins], credentials: false, maxAge: 600 });
  app.use(except(options.unparsed ?? [], json({ limit: JSON_LIMIT, strict: true, type: 'application/json' })));
  if (options.forms) app.use(urlencoded({ extended: false, limit: '10kb', parameterLimit: 50 }));
  app.use(problemHandler(problems));
  app.useGlobalFilters(new ProblemFilter(problems));
  await app.init();
  instance.use(problemHandler(problems));
  return app;
}

const alive: RequestHandler = (request, response, next) => {
  if (request.path !== '/healthz' || request.method !== 'GET') return next();
  response.json({ status: 'alive' });
};

const except =
  (paths: readonly string[], handler: RequestHandler): RequestHandler =>
  (request, response, next) =>
    paths.includes(request.path) ? next() : handler(request, response, next);

/** Nest's own words go to our log, its chatter at debug. */
const bridge = (log: Log): LoggerService => ({
  log: (message: unknown, ...more: unknown[]) => log.debug(String(message), { nest: more.at(-1) }),
  error: (message: unknown, ...more: unknown[]) => log.error(String(message), { nest: more.at(-1) }),
  warn: (message: unknown, ...more: unknown[]) => log.warn(String(message), { nest: more.at(-1) }),
  debug: () => {},
  verbose: () => {},
});
