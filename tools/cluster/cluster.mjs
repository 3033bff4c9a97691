// `npm run cluster`: two processes of each service on Redis, Kafka and Postgres in containers, for checks from outside.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeAdminKey } from '@portcullis/standalone/admin-key.file';
import { loadOrMakeDemoAccounts } from '@portcullis/standalone/demo-accounts.file';
import { statementSigner } from '@portcullis/guard/statement';
import { keyBytes } from '@portcullis/service/key-text';
import { loadOrMakeKey } from '@portcullis/service/keys.file';
import { writeWhole } from '@portcullis/service/write-file.file';
import { whyNoContainers } from '../test/engine.mjs';
import { balance } from './balancer.mjs';
import { startEngines } from './engines.mjs';
import { startReplica } from './replica.mjs';

const USAGE = `npm run cluster -- [--ready-file FILE] [--replicas N] [--port-base N]

Starts Redis, Kafka and Postgres in containers, and two processes (--replicas) of each service on them. One address for
each service (ports from --port-base on, default 4400; 0 = free ones) passes connections on to its processes in turn. A
process that ends is started again. --ready-file is written when all of it is ready; besides what that of npm start holds it
names the processes and the containers. Ctrl-C or SIGTERM stops all of it; nothing is kept.`;

/**
 * In the order they start: who publishes the keys that the others believe, who decides on standing, who serves calls last.
 * `shared`: keys that all of its processes have, and no other service
 */
const SERVICES = [
  {
    service: 'auth-server',
    name: 'authServer',
    offset: 0,
    role: 'auth',
    shared: ['KEY_ENCRYPTION_KEY', 'COOKIE_KEY', 'SECRET_HASH_KEY'],
  },
  { service: 'security-analytics', name: 'analytics', offset: 4, role: 'audit', shared: [] },
  { service: 'rate-limiter', name: 'rateLimiter', offset: 2, role: 'limits', shared: [] },
  { service: 'mcp-server', name: 'mcpServer', offset: 1, role: 'tools', shared: ['AUDIT_DIGEST_KEY', 'STATE_KEY'] },
];
/** Those who sign what others act on, besides auth-server, which is told their public keys. */
const SIGNERS = ['security-analytics', 'rate-limiter'];

const { values } = asked();
if (values.help) {
  console.log(USAGE);
} else {
  const why = await whyNoContainers(['redis', 'kafka', 'postgres']);
  if (why) fail(`No cluster can be started here: ${why}`, 1);
  /** @type {(() => unknown)[]} */
  const closing = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void close().then(() => process.exit(0)));
  try {
    await start(
      closing,
      counted('replicas', values.replicas, 1, 8),
      counted('port-base', values['port-base'], 0, 65_000),
    );
  } catch (error) {
    await close();
    fail(error.message, 1);
  }
}

async function start(closing, replicas, base) {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-cluster-'));
  closing.push(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'log'));

  const fronts = {};
  for (const { name, offset } of SERVICES) {
    fronts[name] = await balance(base === 0 ? 0 : base + offset);
    closing.push(fronts[name].close);
  }
  const urlOf = (name) => `http://127.0.0.1:${fronts[name].port}`;

  say('starting Redis, Kafka and Postgres');
  const [redis, kafka, postgres] = await freePorts(3);
  const engines = await startEngines({ redis, kafka, postgres });
  closing.push(engines.stop);

  const admin = await makeAdminKey(dir);
  const urls = { issuer: urlOf('authServer'), mcp: `${urlOf('mcpServer')}/mcp` };
  const demo = await loadOrMakeDemoAccounts(dir, urls);
  const keyOf = (name) => loadOrMakeKey(join(dir, 'keys'), name);
  const statementKeyOf = (service) => keyOf(`STATEMENT_KEY.${service}`);
  const publicKeys = [];
  for (const signer of SIGNERS) {
    const { jwks } = statementSigner(signer, [keyBytes(await statementKeyOf(signer))]);
    publicKeys.push(`${signer}=${jwks.keys[0].x}`);
  }
  const common = {
    PORTCULLIS_MODE: 'embedded',
    AUTH_ISSUER: urls.issuer,
    MCP_RESOURCE: urls.mcp,
    RATE_LIMITER_URL: urlOf('rateLimiter'),
    ANALYTICS_URL: urlOf('analytics'),
    REDIS_URL: engines.redis,
    KAFKA_BROKERS: engines.kafka,
    KAFKA_REPLICAS: '1',
    STATEMENT_PUBLIC_KEYS: publicKeys.join(','),
    LIMIT_SHARES: String(replicas),
    DEMO: 'true',
    DEMO_FILE: demo.path,
    LOCAL_ADMIN_FILE: admin.path,
  };

  /** @type {{ service: string, name: string, url: string, management: string, pid(): number }[]} */
  const processes = [];
  const announce = async () => {
    const file = values['ready-file'];
    if (file === undefined) return;
    await writeWhole(
      resolve(file),
      `${JSON.stringify(readyOf(urls, engines, processes, { admin, demo, urlOf }), null, 2)}\n`,
      0o600,
    );
  };
  let ready = false;
  for (const { service, name, role, shared } of SERVICES) {
    const secrets = { STATEMENT_KEY: (await statementKeyOf(service)).reveal() };
    for (const key of shared) secrets[key] = (await keyOf(key)).reveal();
    const started = Array.from({ length: replicas }, async (_, i) => {
      const [port, managementPort] = await freePorts(2);
      const replica = await startReplica({
        service,
        log: join(dir, 'log', `${service}-${i + 1}.log`),
        restarted: () => (ready ? announce() : undefined),
        env: {
          ...common,
          ...secrets,
          PORT: String(port),
          MANAGEMENT_PORT: String(managementPort),
          DATABASE_URL: engines.databaseOf(role),
          OUTBOX_DIR: join(dir, `outbox-${i + 1}`),
        },
      });
      closing.push(replica.stop);
      fronts[name].replicas.add(port);
      const url = `http://127.0.0.1:${port}`;
      processes.push({ service, name, url, management: `http://127.0.0.1:${managementPort}`, pid: replica.pid });
    });
    await Promise.all(started);
    say(`${service}: ${replicas} at ${urlOf(name)}`);
  }
  await announce();
  ready = true;
  if (values['ready-file']) closing.push(() => rmSync(resolve(values['ready-file']), { force: true }));
  say(`ready; logs in ${join(dir, 'log')}`);
}

function readyOf({ mcp }, engines, processes, { admin, demo, urlOf }) {
  const first = (name) => processes.find((each) => each.name === name).management;
  return {
    authServer: urlOf('authServer'),
    mcpServer: urlOf('mcpServer'),
    mcp,
    rateLimiter: urlOf('rateLimiter'),
    rateLimiterGrpc: null,
    analytics: urlOf('analytics'),
    console: null,
    management: Object.fromEntries(SERVICES.map(({ name }) => [name, first(name)])),
    demo: demo.path,
    admin: admin.path,
    pid: process.pid,
    processes: processes.map(({ service, url, management, pid }) => ({ service, pid: pid(), url, management })),
    containers: engines.ids,
  };
}

/** Ports that are free now. They are all held until the last is found, so that none comes twice. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

function asked() {
  try {
    return parseArgs({
      options: {
        'ready-file': { type: 'string' },
        replicas: { type: 'string', default: '2' },
        'port-base': { type: 'string', default: '4400' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return fail(`${error.message}\n\n${USAGE}`, 2);
  }
}

function counted(option, text, least, most) {
  const count = Number(text);
  if (!Number.isInteger(count) || count < least || count > most)
    fail(`--${option} takes a whole number from ${least} to ${most}\n\n${USAGE}`, 2);
  return count;
}

function say(what) {
  console.error(`cluster: ${what}`);
}

function fail(says, code) {
  console.error(says);
  process.exit(code);
}
