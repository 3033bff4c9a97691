// auth-server as it runs embedded: database, durable spool, bus with a reader. DATABASE_URL says which database.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { config } from '@portcullis/auth-server/config';
import { newDemoAccounts } from '@portcullis/auth-server/demo';
import { startAuthServer } from '@portcullis/auth-server/start';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { memoryContainment } from '@portcullis/guard/containment.memory';
import { Secret } from '@portcullis/contract/secret';
import { bind } from '@portcullis/service/listener.http';
import { createLog } from '@portcullis/service/log.file';
import { newId } from '@portcullis/guard/new-id.memory';
import { readSettings } from '@portcullis/service/settings';
import { openDatabase } from '@portcullis/sql/open-database.sql';
import { exportJWK, generateKeyPair } from 'jose';
import { answerParent } from '../peer.mjs';

const RESOURCE = 'http://127.0.0.1:4401/mcp';
const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
process.on('SIGTERM', () => process.exit());

const log = createLog('auth-server', 'error');
const bound = await bind('127.0.0.1', 0);
const settings = readSettings(config, {
  PORTCULLIS_MODE: 'embedded',
  PORT: String(bound.port),
  MANAGEMENT_PORT: '0',
  AUTH_ISSUER: bound.url,
  MCP_RESOURCE: RESOURCE,
});
const database = await openDatabase(process.env.DATABASE_URL, { onBroken: () => {} });
const bus = memoryBus();
await bus.subscribe('portcullis.events', 'bench', async () => {});
const events = await openOutbox({ dir, service: 'auth-server', bus, now: Date.now, newId, log });
const key = () => [new Secret(randomBytes(32).toString('base64url'))];
const privateJwk = async () => exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey);
const demo = await newDemoAccounts({
  clientSecret: () => randomBytes(32).toString('base64url'),
  password: () => randomBytes(12).toString('base64url'),
  privateJwk,
});
await startAuthServer(
  settings,
  {
    database,
    bus,
    events,
    containment: memoryContainment(),
    log,
    demo,
    keys: { keyEncryption: key(), cookie: key(), secretHash: key() },
  },
  bound,
);

const { client_id, client_secret } = demo.clients['support-agent'];
answerParent({
  url: `${bound.url}/token`,
  authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`,
  resource: RESOURCE,
});
