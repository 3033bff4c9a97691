// mcp-server as it runs embedded, with the whole guard: token cache, standing, revocations, limits, durable audit, redaction.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { newId } from '@portcullis/guard/new-id.memory';
import { defineTool, toolRegistry } from '@portcullis/guard/tool';
import { beatAlone, memoryContainment } from '@portcullis/guard/containment.memory';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { config } from '@portcullis/mcp-server/config';
import { startMcpServer } from '@portcullis/mcp-server/start';
import { bind } from '@portcullis/service/listener.http';
import { createLog } from '@portcullis/service/log.file';
import { readSettings } from '@portcullis/service/settings';
import { openDatabase } from '@portcullis/sql/open-database.sql';
import * as z from 'zod';
import { issuer, port, ready, record, RESOURCE, SCOPE, TOOL } from './shared.mjs';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const customerId = z.string().regex(/^CUST-[0-9]{6}$/);
const getCustomer = defineTool({
  ...TOOL,
  scopes: [SCOPE],
  effects: ['reads-pii'],
  limit: { perMinute: 60, llmTokens: 500 },
  input: z.strictObject({ customerId }),
  output: z.strictObject({
    id: customerId,
    name: z.string(),
    email: z.string(),
    tier: z.enum(['free', 'pro', 'ent']),
    since: z.iso.date(),
    balance: z.number(),
    open_tickets: z.number(),
  }),
  customersIn: ({ id }) => [id],
  execute: async ({ customerId: id }) => record(id),
});

/** Nothing may be refused: so the limits are out of reach, and all else is as the house has it. */
const table = {
  ...HOUSE_TABLE,
  rules: HOUSE_TABLE.rules.map((rule) => ({
    ...rule,
    windows: rule.windows.map((each) => ({ ...each, limit: 1e12 })),
  })),
};

const log = createLog('mcp-server', 'error');
const bound = await bind('127.0.0.1', port);
const settings = readSettings(config, {
  PORTCULLIS_MODE: 'embedded',
  PORT: String(port),
  MANAGEMENT_PORT: '0',
  AUTH_ISSUER: issuer,
  MCP_RESOURCE: RESOURCE,
  // one principal sends them all, over up to 128 connections
  MAX_CALLS_PER_AGENT: '512',
});
const database = await openDatabase('pglite://memory', { onBroken: () => {} });
const bus = memoryBus();
await bus.subscribe('portcullis.events', 'bench', async () => {});
const events = await openOutbox({ dir, service: 'mcp-server', bus, now: Date.now, newId, log });
const containment = memoryContainment();
await beatAlone(bus, containment, ['portcullis.standing', 'portcullis.revocations'], { now: Date.now, log });
await startMcpServer(
  settings,
  {
    database,
    bus,
    containment,
    events,
    limiter: memoryLimiter({ now: Date.now, random: randomBytes, table: () => table }),
    log,
    auditDigestKey: randomBytes(32),
    stateKeys: [randomBytes(32)],
    demoData: false,
    tools: toolRegistry([getCustomer]),
  },
  bound,
);
ready();
