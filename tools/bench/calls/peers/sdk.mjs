// The official SDK v2 as documented: its Express app, requireBearerAuth, and a server made for each request.
import { createMcpExpressApp, requireBearerAuth } from '@modelcontextprotocol/express';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { lookUp, port, ready, TOOL } from '../shared.mjs';
import { bearer } from './sdk-parts.mjs';

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  const inputSchema = z.object({ customerId: z.string() });
  server.registerTool(TOOL.name, { description: TOOL.description, inputSchema }, async ({ customerId }) =>
    lookUp(customerId),
  );
  return server;
});
const serve = toNodeHandler(handler);
const app = createMcpExpressApp();
app.post('/mcp', requireBearerAuth(bearer), (request, response) => void serve(request, response, request.body));
app.listen(port, '127.0.0.1', ready);
