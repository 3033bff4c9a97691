// FastMCP: its authenticate hook on each request, and canAccess; stateless, JSON.
import { FastMCP, requireScopes } from 'fastmcp';
import { z } from 'zod';
import { lookUp, port, ready, SCOPE, TOOL } from '../shared.mjs';
import { scopesOf, verifyHeader } from './verify.mjs';

const quiet = () => {};
const server = new FastMCP({
  name: 'bench',
  version: '1.0.0',
  logger: { debug: quiet, info: quiet, log: quiet, warn: console.warn, error: console.error },
  async authenticate(request) {
    try {
      const claims = await verifyHeader(request.headers.authorization);
      return { accessToken: request.headers.authorization.slice(7), scopes: scopesOf(claims), sub: claims.sub };
    } catch {
      throw new Response(null, { status: 401, statusText: 'Unauthorized' });
    }
  },
});
server.addTool({
  ...TOOL,
  parameters: z.object({ customerId: z.string() }),
  canAccess: requireScopes(SCOPE),
  execute: async ({ customerId }) => lookUp(customerId),
});
await server.start({
  transportType: 'httpStream',
  httpStream: { port, host: '127.0.0.1', stateless: true, enableJsonResponse: true },
});
ready();
