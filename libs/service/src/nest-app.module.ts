import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import type { Log } from '@portcullis/contract/log';
import express, { type RequestHandler } from 'express';
import type { Range } from './addresses.js';
import { httpsOnly, knownHosts } from './arrival.module.js';
import { readBodies } from './bodies.module.js';
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
  /** proxies whose X-Forwarded-Proto counts (TRUSTED_PROXIES) */
  readonly trustedProxies?: readonly Range[];
  /** URL named in challenges (RFC 9728 §5.1) */
  readonly resourceMetadata?: string;
  /** sees every request first, such as `countRequests(registry)` */
  readonly observe?: RequestHandler;
  /** run in order before any body is read, such as oidc-provider's callback */
  readonly before?: readonly RequestHandler[];
  /** paths whose bodies are left to their handlers, such as /mcp */
  readonly unparsed?: readonly string[];
  /** also reads HTML forms, such as the login's */
  readonly forms?: boolean;
}

/** What scripts of other origins may read besides the body. */
const EXPOSED = ['WWW-Authenticate', 'DPoP-Nonce', 'Retry-After', 'X-Correlation-Id'];

/**
 * A Nest application on Express with what every JSON API of ours needs, initialized and ready for `mount(bound, app)`;
 * it listens nowhere by itself. Order of a request: `observe`, correlation id, security headers, /healthz, https, host,
 * CORS, `before`, body, routes.
 * @param module the app's root module: a class or what its `forRoot()` returns
 */
export async function createApi(
  module: Parameters<typeof NestFactory.create>[0],
  options: ApiOptions,
): Promise<NestExpressApplication> {
  const instance = express();
  instance.disable('x-powered-by').disable('etag').set('trust proxy', false);
  // one spelling of a path, so that whoever compares paths (`unparsed`, proxies, policies) sees what the router sees
  instance.enable('case sensitive routing').enable('strict routing');
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(instance), {
    bodyParser: false,
    abortOnError: false,
    logger: bridge(options.log),
  });
  const problems = { log: options.log, resourceMetadata: options.resourceMetadata };
  app.use(
    inOrder([
      ...(options.observe ? [options.observe] : []),
      correlation,
      securityHeaders(),
      alive,
      ...(options.forceHttps ? [httpsOnly(options.trustedProxies ?? [])] : []),
      ...(options.hosts ? [knownHosts(options.hosts)] : []),
    ]),
  );
  if (options.cors) app.enableCors({ origin: [...options.cors.origins], exposedHeaders: EXPOSED, maxAge: 600 });
  for (const handler of options.before ?? []) app.use(handler);
  app.use(readBodies({ unparsed: options.unparsed ?? [], forms: options.forms ?? false }));
  app.use(problemHandler(problems));
  app.useGlobalFilters(new ProblemFilter(problems));
  await app.init();
  instance.use(problemHandler(problems));
  return app;
}

/** One layer for handlers that answer at once or go on: Express spends some 3 µs a request on each layer of its own. */
const inOrder =
  (handlers: readonly RequestHandler[]): RequestHandler =>
  (request, response, done) => {
    const step = (i: number): void => {
      const handler = handlers[i];
      if (handler === undefined) return done();
      void handler(request, response, (error?: unknown) => (error === undefined ? step(i + 1) : done(error)));
    };
    step(0);
  };

const alive: RequestHandler = (request, response, next) => {
  if (request.path !== '/healthz' || request.method !== 'GET') return next();
  response.json({ status: 'alive' });
};

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
