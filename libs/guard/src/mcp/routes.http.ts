import { REFUSALS } from '@portcullis/contract/refusals';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { arrivedOverHttps } from '../forwarding.js';
import { apiHeaders } from '../headers.js';
import { hostAllowed } from '../hosts.js';
import type { Arrivals } from './listener.http.js';
import type { ResourceMetadata } from './metadata.js';

/** One who answers what is his, and passes on the rest. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const READABLE = {
  ...apiHeaders,
  'Content-Type': 'application/json',
  // public, for web pages of any origin (RFC 9728 §3.2)
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cache-Control': 'public, max-age=300',
};
/** Clients in browsers send MCP-Protocol-Version here too, which makes them ask first. */
const PREFLIGHT = {
  ...apiHeaders,
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET',
  'Access-Control-Allow-Headers': 'mcp-protocol-version, accept',
  'Access-Control-Max-Age': '600',
};

const UNSERVED = { ...apiHeaders, 'Content-Type': 'application/json' };
const unservedBody = (hint = ''): string =>
  JSON.stringify({ error: 'origin_forbidden', error_description: `${REFUSALS.origin_forbidden.says}${hint}` });
const NOT_OUR_HOST = unservedBody();
const NOT_HTTPS = unservedBody(' This server answers over https only.');

/** How requests have to arrive. */
export interface Served extends Pick<Arrivals, 'trustedProxies' | 'forceHttps'> {
  /** Host values (origins.ts) */
  readonly names: readonly string[];
}

/**
 * What the endpoint asks of a request before anything else (door.ts), but for its Origin: metadata is for every page.
 * @returns the body of the refusal; undefined for what is served
 */
function unserved(request: IncomingMessage, { names, forceHttps, trustedProxies }: Served): string | undefined {
  if (forceHttps && !arrivedOverHttps(request, trustedProxies)) return NOT_HTTPS;
  const [host, ...more] = request.headersDistinct['host'] ?? [];
  return more.length === 0 && hostAllowed(host, names) ? undefined : NOT_OUR_HOST;
}

/**
 * The endpoint and its metadata as a part of a server.
 * @param path     of the endpoint; its metadata lies at the well-known path before it (RFC 9728 §3.1) and, for clients that look
 *   nowhere else, at that path alone
 * @param served   how requests for metadata have to arrive; the endpoint looks after its own
 */
export function routes(
  path: string,
  endpoint: RequestListener,
  metadata: ResourceMetadata,
  served: Served,
): Middleware {
  const document = JSON.stringify(metadata);
  const documents = new Set([WELL_KNOWN, `${WELL_KNOWN}${path === '/' ? '' : path}`]);
  return (request, response, next) => {
    const { url = '', method } = request;
    const query = url.indexOf('?');
    const at = query < 0 ? url : url.slice(0, query);
    if (at === path) return endpoint(request, response);
    if (!documents.has(at)) return next();
    const why = unserved(request, served);
    if (why !== undefined) return void response.writeHead(REFUSALS.origin_forbidden.http, UNSERVED).end(why);
    if (method === 'GET') return void response.writeHead(200, READABLE).end(document);
    if (method === 'HEAD') return void response.writeHead(200, READABLE).end();
    if (method === 'OPTIONS') return void response.writeHead(204, PREFLIGHT).end();
    response.writeHead(405, { ...apiHeaders, Allow: 'GET, HEAD, OPTIONS' }).end();
  };
}

/** The same as a whole server: what is not its own is 404. */
export const wholeServer =
  (middleware: Middleware): RequestListener =>
  (request, response) =>
    middleware(request, response, () => {
      response.writeHead(404, { ...apiHeaders, 'Content-Type': 'application/json' }).end('{"error":"not_found"}');
      request.resume();
    });
