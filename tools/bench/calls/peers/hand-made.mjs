// The guard that a team puts together by hand, in its lean form: SDK v2 on node:http with everything hoisted, jose,
// rate-limiter-flexible in memory, a strict zod schema, an audit line by pino, redaction by patterns.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  bearerAuthChallengeResponse,
  createMcpHandler,
  McpServer,
  verifyBearerToken,
} from '@modelcontextprotocol/server';
import pino from 'pino';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { z } from 'zod';
import { lookUp, port, ready, TOOL } from '../shared.mjs';
import { bearer } from './sdk-parts.mjs';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const limiter = new RateLimiterMemory({ points: 1e9, duration: 60 });
const audit = pino(
  { base: { service: 'bench' }, redact: ['token'] },
  pino.destination({ dest: join(dir, 'audit.log'), sync: false, minLength: 4096 }),
);
const PERSONAL = [
  /\b\d{3}-\d{2}-\d{4}\b/g,
  /\b(?:\d[ -]?){13,16}\b/g,
  /\b[\w.+-]+@[\w-]+\.[\w.]+\b/g,
  /\b(?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b/g,
];

async function admit(request, response) {
  try {
    await limiter.consume(`${request.auth.clientId}:${request.auth.extra.sub}`, 1);
    return true;
  } catch {
    response.writeHead(429).end();
    audit.warn({ event: 'rate_limited', client: request.auth.clientId });
    return false;
  }
}

async function guarded(args, context) {
  const started = process.hrtime.bigint();
  const out = lookUp(args.customerId);
  for (const block of out.content) for (const one of PERSONAL) block.text = block.text.replace(one, '[redacted]');
  const { clientId, extra = {} } = context?.http?.authInfo ?? {};
  audit.info({
    event: 'tool_call',
    correlation_id: randomUUID(),
    tool: TOOL.name,
    sub: extra.sub,
    client_id: clientId,
    jti: extra.jti,
    args,
    outcome: 'ok',
    ms: Number(process.hrtime.bigint() - started) / 1e6,
  });
  return out;
}

const definition = {
  description: TOOL.description,
  inputSchema: z.strictObject({ customerId: z.string().regex(/^CUST-[0-9]{6}$/) }),
};
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  server.registerTool(TOOL.name, definition, guarded);
  return server;
});
const serve = toNodeHandler(handler);

createServer(async (request, response) => {
  try {
    request.auth = await verifyBearerToken(request.headers.authorization, bearer);
  } catch (error) {
    const refusal = bearerAuthChallengeResponse(error, bearer);
    response.writeHead(refusal.status, Object.fromEntries(refusal.headers)).end(await refusal.text());
    return;
  }
  if (await admit(request, response)) await serve(request, response);
}).listen(port, '127.0.0.1', ready);
