import type { Scope } from './scopes.js';

/**
 * The APIs a token can be for, each its own audience (RFC 8707), and the scopes that mean something there.
 * The URIs come from settings; the rows are fixed.
 */
export const RESOURCES = {
  mcp: [
    'customer:read',
    'customer:list',
    'customer:write',
    'customer:delete',
    'ticket:read',
    'ticket:create',
    'account:calculate',
    'sentiment:analyze',
    'data:export',
    'data:delete',
    'email:send',
    'diagnostics:run',
  ],
  authAdmin: ['admin:clients', 'admin:users', 'admin:keys', 'platform:admin'],
  mcpAdmin: ['platform:admin'],
  /** the pages of mcp-server on which people approve calls */
  approvals: ['approvals:give'],
  rateLimiter: ['limits:decide', 'limits:admin'],
  analytics: ['security:read', 'security:respond', 'platform:admin', 'events:write'],
} as const satisfies Record<string, readonly Scope[]>;
export type ResourceName = keyof typeof RESOURCES;
export const isResourceName = (text: unknown): text is ResourceName =>
  typeof text === 'string' && Object.hasOwn(RESOURCES, text);
export type ResourceUris = Readonly<Record<ResourceName, string>>;

/** RFC 8707 §2 compares URIs as strings; clients send them with and without a trailing slash, and upper-case hosts. */
export const sameResource = (a: string, b: string): boolean => a === b || normalResource(a) === normalResource(b);
const normalResource = (uri: string): string => (URL.parse(uri)?.href ?? uri).replace(/\/$/, '');

/** The resource that a URI names, if it is one of ours. */
export const resourceNamed = (uris: ResourceUris, uri: string): ResourceName | undefined =>
  (Object.keys(uris) as ResourceName[]).find((name) => sameResource(uris[name], uri));
