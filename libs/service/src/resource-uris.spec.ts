import { resourceUris } from './resource-uris.js';

test('each API has an audience of its own, made from the public URLs', () => {
  expect(
    resourceUris({
      AUTH_ISSUER: 'https://auth.example/tenant/',
      MCP_RESOURCE: 'https://mcp.example:8443/base/mcp',
      RATE_LIMITER_URL: 'https://limits.example',
      ANALYTICS_URL: 'https://analytics.example/',
    }),
  ).toEqual({
    mcp: 'https://mcp.example:8443/base/mcp',
    authAdmin: 'https://auth.example/tenant/admin',
    mcpAdmin: 'https://mcp.example:8443/admin',
    approvals: 'https://mcp.example:8443/approvals',
    rateLimiter: 'https://limits.example/v1',
    analytics: 'https://analytics.example/v1',
  });
});
