import type { ResourceUris } from '@portcullis/scopes/resources';

/** The settings that say where the services are, as the outside sees them. */
export interface PublicUrls {
  readonly AUTH_ISSUER: string;
  readonly MCP_RESOURCE: string;
  readonly RATE_LIMITER_URL: string;
  readonly ANALYTICS_URL: string;
}

/** The audience of each API's tokens. */
export const resourceUris = (urls: PublicUrls): ResourceUris => ({
  mcp: urls.MCP_RESOURCE,
  authAdmin: `${base(urls.AUTH_ISSUER)}/admin`,
  mcpAdmin: `${new URL(urls.MCP_RESOURCE).origin}/admin`,
  approvals: `${new URL(urls.MCP_RESOURCE).origin}/approvals`,
  rateLimiter: `${base(urls.RATE_LIMITER_URL)}/v1`,
  analytics: `${base(urls.ANALYTICS_URL)}/v1`,
});

const base = (url: string): string => url.replace(/\/+$/, '');
