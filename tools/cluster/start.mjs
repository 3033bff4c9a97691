// Two processes of each service on shared engines, as `npm run cluster` and the chaos attack want them.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { statementSigner } from '@portcullis/guard/statement';
import { keyBytes } from '@portcullis/service/key-text';
import { loadOrMakeKey } from '@portcullis/service/keys.file';
import { writeWhole } from '@portcullis/service/write-file.file';
import { makeAdminKey } from '@portcullis/standalone/admin-key.file';
import { loadOrMakeDemoAccounts } from '@portcullis/standalone/demo-accounts.file';
import { balance } from './balancer.mjs';
import { startEngines } from './engines.mjs';
import { startReplica } from './replica.mjs';

/**
 * In the order they start: who publishes the keys that the others believe, who decides on standing, who serves calls last.
 * `shared`: keys that all of its processes have; no other service, but for LIMITS_KEY, which both that decide on limits have
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
  { service: 'rate-limiter', name: 'rateLimiter', offset: 2, role: 'limits', shared: ['LIMITS_KEY'] },
  {
    service: 'mcp-server',
    name: 'mcpServer',
    offset: 1,
    role: 'tools',
    shared: ['AUDIT_DIGEST_KEY', 'STATE_KEY', 'LIMITS_KEY'],
  },
];
/** Those who sign what others act on, besides auth-server, which is told their public keys. */
const SIGNERS = ['security-analytics', 'rate-limiter'];

/**
 * @typedef {object} Replica
 * @property {string} service
 * @property {number} nth from 1
 * @property {string} url
 * @property {string} management
 * @property {() => number} pid of now: it is started again when it ends
 */

/**
 * @param {object} options
 * @param {number} options.replicas of each service
 * @param {number} options.base the first port; 0 = free ones
 * @param {string} [options.readyFile] written when all is ready, and again when a process has another pid
 * @param {(what: string) => void} options.say
 * @param {(dir: string) => Promise<(() => unknown) | undefined>} [options.prepare] is shown the folder before anything is in it;
 *   what it answers is done before the folder goes
 * @returns {Promise<{ dir: string, ready(): object, replicas: Replica[], engines: import('./engines.mjs').Engines, stop(): Promise<void> }>}
 */
export async function startCluster({ replicas, base, readyFile, say, prepare }) {
  /** @type {(() => unknown)[]} */
  const closing = [];
  const stop = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    return { ...(await start(closing, { replicas, base, readyFile, say, prepare })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(closing, { replicas, base, readyFile, say, prepare }) {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-cluster-'));
  closing.push(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'log'));
  closing.push((await prepare?.(dir)) ?? (() => {}));

  const fronts = {};
  for (const { name, offset } of SERVICES) {
    fronts[name] = await balance(base === 0 ? 0 : base + offset);
    closing.push(fronts[name].close);
  }
  // not a service of its own: another port of the rate limiter's processes
  const grpc = await balance(base === 0 ? 0 : base + 3);
  closing.push(grpc.close);
  const urlOf = (name) => `http://127.0.0.1:${fronts[name].port}`;

  say('starting Redis, Kafka and Postgres');
  const [redis, kafka, postgres] = await freePorts(3);
  const engines = await startEngines({ redis, kafka, postgres });
  closing.push(engines.stop);

  const urls = { issuer: urlOf('authServer'), mcp: `${urlOf('mcpServer')}/mcp` };
  const [admin, demo] = [await makeAdminKey(dir), await loadOrMakeDemoAccounts(dir, urls)];
  const keyOf = (name) => loadOrMakeKey(join(dir, 'keys'), name);
  const statementKeyOf = (service) => keyOf(`STATEMENT_KEY.${service}`);
  const publicKeyOf = async (signer) => {
    const { jwks } = statementSigner(signer, [keyBytes(await statementKeyOf(signer))]);
    return `${signer}=${jwks.keys[0].x}`;
  };
  const common = {
    PORTCULLIS_MODE: 'embedded',
    AUTH_ISSUER: urls.issuer,
    MCP_RESOURCE: urls.mcp,
    RATE_LIMITER_URL: urlOf('rateLimiter'),
    ANALYTICS_URL: urlOf('analytics'),
    REDIS_URL: engines.redis,
    KAFKA_BROKERS: engines.kafka,
    KAFKA_REPLICAS: '1',
    STATEMENT_PUBLIC_KEYS: (await Promise.all(SIGNERS.map(publicKeyOf))).join(','),
    LIMIT_SHARES: String(replicas),
    DEMO: 'true',
    DEMO_FILE: demo.path,
    LOCAL_ADMIN_FILE: admin.path,
  };

  /** @type {(Replica & { name: string })[]} */
  const running = [];
  const ready = () => ({
    authServer: urlOf('authServer'),
    mcpServer: urlOf('mcpServer'),
    mcp: urls.mcp,
    rateLimiter: urlOf('rateLimiter'),
    rateLimiterGrpc: `127.0.0.1:${grpc.port}`,
    analytics: urlOf('analytics'),
    console: null,
    management: Object.fromEntries(
      SERVICES.map(({ name }) => [name, running.find((each) => each.name === name).management]),
    ),
    demo: demo.path,
    admin: admin.path,
    pid: process.pid,
    processes: running.map(({ service, url, management, pid }) => ({ service, pid: pid(), url, management })),
    containers: engines.ids,
  });
  let allAreThere = false;
  const announce = async () => {
    if (readyFile === undefined || !allAreThere) return;
    await writeWhole(resolve(readyFile), `${JSON.stringify(ready(), null, 2)}\n`, 0o600);
  };
  for (const { service, name, role, shared } of SERVICES) {
    const secrets = { STATEMENT_KEY: (await statementKeyOf(service)).reveal() };
    for (const key of shared) secrets[key] = (await keyOf(key)).reveal();
    const started = Array.from({ length: replicas }, async (_, i) => {
      const [port, managementPort, grpcPort] = await freePorts(3);
      const management = `http://127.0.0.1:${managementPort}`;
      const replica = await startReplica({
        service,
        log: join(dir, 'log', `${service}-${i + 1}.log`),
        restarted: announce,
        env: {
          ...common,
          ...secrets,
          PORT: String(port),
          MANAGEMENT_PORT: String(managementPort),
          GRPC_PORT: String(grpcPort),
          DATABASE_URL: engines.databaseOf(role),
          OUTBOX_DIR: join(dir, `outbox-${i + 1}`),
        },
      });
      closing.push(replica.stop);
      fronts[name].add({ port, management });
      if (service === 'rate-limiter') grpc.add({ port: grpcPort, management });
      return { service, name, nth: i + 1, url: `http://127.0.0.1:${port}`, management, pid: replica.pid };
    });
    running.push(...(await Promise.all(started)));
    say(`${service}: ${replicas} at ${urlOf(name)}`);
  }
  allAreThere = true;
  if (readyFile !== undefined) closing.push(() => rmSync(resolve(readyFile), { force: true }));
  await announce();
  return { dir, ready, replicas: running, engines };
}

/** Ports that are free now. They are all held until the last is found, so that none comes twice. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}
