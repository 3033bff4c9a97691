import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '@testcontainers/postgresql';
import { BUS_USERS, TOPIC_ACCESS, type Access, type BusUser } from '@portcullis/contract/topic-access';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { statementSigner } from '@portcullis/guard/statement';
import { selfSigned } from '@portcullis/service/certificate.fixture';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import type { AclEntry } from 'kafkajs';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers';
import { freePort } from '../../../tools/test/breaking.mjs';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { KafkaContainer, type StartedKafkaContainer } from '../../../tools/test/kafka-container.mjs';

// The whole platform as operators run it: hardened, over TLS everywhere, on servers where each service may do its own and no more.
const TOPIC_NAMES = Object.keys(TOPICS) as Topic[];
const root = new URL('../../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'portcullis-hardened-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const infra = (path: string): string => readFileSync(join(root, 'infra', path), 'utf8');
const secret = (): string => randomBytes(24).toString('hex');
const key = (): string => randomBytes(32).toString('base64url');
const passwords = { redis: secret(), postgres: secret() };
// brokers say where they are, which is where the engine is
const engine = (await getContainerRuntimeClient()).info.containerRuntime.host;
const server = selfSigned('localhost', engine);
const [cert, certKey] = [file('server.pem', server.cert), file('server.key', server.key)];

let kafka: StartedKafkaContainer;
let redis: StartedTestContainer;
let postgres: StartedPostgreSqlContainer;
beforeAll(async () => {
  [kafka, redis, postgres] = await Promise.all([startKafka(), startRedis(), startPostgres()]);
}, 300_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([kafka?.stop(), redis?.stop(), postgres?.stop()]);
  rmSync(folder, { recursive: true });
});

async function startKafka(): Promise<StartedKafkaContainer> {
  const users = Object.fromEntries(BUS_USERS.map((user) => [user, `pw-of-${user}`]));
  const started = await new KafkaContainer().withSecurity({ ...server, clients: selfSigned().cert, users }).start();
  const admin = new Kafka({ brokers: [started.getBroker()], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: TOPIC_NAMES.map((topic) => ({
      topic,
      numPartitions: TOPICS[topic].partitions,
      configEntries: [{ name: 'cleanup.policy', value: TOPICS[topic].compacted ? 'compact' : 'delete' }],
    })),
  });
  await admin.createAcls({ acl: BUS_USERS.flatMap(rightsOf) });
  await admin.disconnect();
  return started;
}

/** What infra/kafka/acls.sh gives a user, which takes a Java program a line. */
function rightsOf(user: BusUser): AclEntry[] {
  const right = (
    resourceType: number,
    resourceName: string,
    operation: number,
    resourcePatternType: number,
  ): AclEntry => ({
    principal: `User:${user}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    ...{ resourceType, resourceName, operation, resourcePatternType },
  });
  const onTopic = (topic: string, operation: number): AclEntry =>
    right(AclResourceTypes.TOPIC, topic, operation, ResourcePatternTypes.LITERAL);
  const group = right(AclResourceTypes.GROUP, user, AclOperationTypes.READ, ResourcePatternTypes.PREFIXED);
  return TOPIC_NAMES.flatMap((topic) => {
    const { read, write }: Access = TOPIC_ACCESS[topic];
    return [
      ...(read.includes(user) ? [onTopic(topic, AclOperationTypes.READ)] : []),
      ...(write.includes(user) ? [onTopic(topic, AclOperationTypes.WRITE)] : []),
      ...(read.includes(user) || write.includes(user) ? [onTopic(topic, AclOperationTypes.DESCRIBE_CONFIGS)] : []),
    ];
  }).concat(group);
}

async function startRedis(): Promise<StartedTestContainer> {
  const users = infra('redis/users.acl').replaceAll('on resetpass', `on resetpass >${passwords.redis}`);
  const content = (target: string, text: string) => ({ content: text, target, mode: 0o644 });
  const tls = '--tls-cert-file /tmp/server.pem --tls-key-file /tmp/server.key --tls-auth-clients no';
  return new GenericContainer(IMAGES.redis)
    .withCopyContentToContainer([
      content('/tmp/server.pem', server.cert),
      content('/tmp/server.key', server.key),
      content('/tmp/users.acl', users),
    ])
    .withCommand(['sh', '-c', `exec redis-server --port 0 --tls-port 6380 ${tls} --aclfile /tmp/users.acl --save ''`])
    .withExposedPorts(6380)
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
}

async function startPostgres(): Promise<StartedPostgreSqlContainer> {
  const started = await new PostgreSqlContainer(IMAGES.postgres).withSSL(cert, certKey).start();
  await withPostgres(started, async (client) => {
    await client.query(infra('postgres/roles.sql'));
    for (const role of ['auth', 'tools', 'audit'])
      await client.query(`alter role ${role} password '${passwords.postgres}'`);
  });
  return started;
}

async function withPostgres<T>(of: StartedPostgreSqlContainer, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: 'localhost',
    port: of.getPort(),
    user: of.getUsername(),
    password: of.getPassword(),
    database: of.getDatabase(),
    ssl: { ca: server.cert },
  });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const children: ChildProcess[] = [];
/** Resolves when the service listens, and fails with what it said when it ends before. */
async function start(service: string, env: Record<string, string>): Promise<{ says(): string }> {
  const main = join(root, 'apps', service, 'dist/main.js');
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('"msg":"listening"')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`${service} ended (${code}): ${said}`)));
  });
  return { says: () => said };
}

/** Asks over TLS, and believes the one certificate only. */
const ask = (url: string, { method = 'GET', headers = {}, body = '' } = {}) =>
  new Promise<{ status: number; body: any }>((resolve, reject) => {
    const asked = request(url, { method, headers, ca: server.cert, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }),
      );
    });
    asked.on('error', reject).end(body);
  });

test('hardened services start on encrypted servers with rights of their own, and serve a call', async () => {
  const ports = Object.fromEntries(
    await Promise.all(
      ['auth', 'mcp', 'limits', 'analytics', 'grpc'].map(async (name) => [name, await freePort()] as const),
    ),
  ) as Record<string, number>;
  const url = (name: string): string => `https://localhost:${ports[name]}`;
  const statements = { analytics: randomBytes(32), limits: randomBytes(32) };
  const publicKey = (signer: 'security-analytics' | 'rate-limiter', seed: Uint8Array): string =>
    `${signer}=${statementSigner(signer, [seed]).jwks.keys[0]?.x}`;
  const manage: Record<string, number> = {};
  const environment = async (service: string, name: string, role?: string, more: Record<string, string> = {}) => {
    manage[name] = await freePort();
    return {
      NODE_EXTRA_CA_CERTS: cert,
      PORT: String(ports[name]),
      MANAGEMENT_PORT: String(manage[name]),
      AUTH_ISSUER: url('auth'),
      MCP_RESOURCE: `${url('mcp')}/mcp`,
      RATE_LIMITER_URL: url('limits'),
      ANALYTICS_URL: url('analytics'),
      KAFKA_BROKERS: kafka.getScramBroker(),
      KAFKA_SASL_USERNAME: service,
      KAFKA_SASL_PASSWORD: `pw-of-${service}`,
      KAFKA_SSL_CA_FILE: cert,
      OUTBOX_DIR: join(folder, `outbox-${name}`),
      TLS_CERT_FILE: cert,
      TLS_KEY_FILE: certKey,
      ...(role && {
        DATABASE_URL: `postgres://${role}:${passwords.postgres}@localhost:${postgres.getPort()}/${postgres.getDatabase()}?sslmode=verify-full&sslrootcert=${cert}`,
      }),
      ...more,
    };
  };
  const LIMITS_KEY = key();
  const onRedis = (user: string) => ({
    LIMITS_KEY,
    REDIS_URL: `rediss://${user}:${passwords.redis}@localhost:${redis.getMappedPort(6380)}`,
    REDIS_SSL_CA_FILE: cert,
  });
  const said = [
    await start(
      'auth-server',
      await environment('auth-server', 'auth', 'auth', {
        KEY_ENCRYPTION_KEY: key(),
        COOKIE_KEY: key(),
        SECRET_HASH_KEY: key(),
        STATEMENT_KEY: key(),
        STATEMENT_PUBLIC_KEYS: [
          publicKey('security-analytics', statements.analytics),
          publicKey('rate-limiter', statements.limits),
        ].join(','),
      }),
    ),
    ...(await Promise.all([
      start(
        'security-analytics',
        await environment('security-analytics', 'analytics', 'audit', {
          STATEMENT_KEY: statements.analytics.toString('base64url'),
        }),
      ),
      start(
        'rate-limiter',
        await environment('rate-limiter', 'limits', undefined, {
          GRPC_PORT: String(ports.grpc),
          STATEMENT_KEY: statements.limits.toString('base64url'),
          ...onRedis('limits'),
        }),
      ),
      start(
        'mcp-server',
        await environment('mcp-server', 'mcp', 'tools', {
          AUDIT_DIGEST_KEY: key(),
          STATE_KEY: key(),
          ...onRedis('tools'),
        }),
      ),
    ])),
  ];

  for (const port of Object.values(manage)) {
    const ready = await (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
    expect(ready).toMatchObject({ status: 'ready', mode: 'HARDENED' });
  }

  // no demo, no local administrator: a client is put where an administrator's would be
  const { publicKey: clientKey, privateKey } = await generateKeyPair('ES256');
  await withPostgres(postgres, async (client) => {
    await client.query(
      `insert into auth.clients (tenant, client_id, name, auth_method, application_type, jwks, redirect_uris, grant_types, scopes,
         demo, disabled, created_at, dpop_bound, require_par, version)
       values ('default', 'agent', 'agent', 'private_key_jwt', 'web', $1, '[]', '["client_credentials"]', '["account:calculate"]',
         false, false, now(), false, false, 1)`,
      [JSON.stringify({ keys: [{ ...(await exportJWK(clientKey)), kid: 'k1' }] })],
    );
  });
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setIssuer('agent')
    .setSubject('agent')
    .setAudience(url('auth'))
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(privateKey);
  const token = await ask(`${url('auth')}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      resource: `${url('mcp')}/mcp`,
      scope: 'account:calculate',
    }).toString(),
  });
  expect(token.status).toBe(200);
  const called = await ask(`${url('mcp')}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token.body.access_token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'calculate_account_value', arguments: { purchases: [150, 300, 89] } },
    }),
  });
  expect(called).toMatchObject({ status: 200, body: { result: { structuredContent: { total: 539 } } } });

  const recorded = (): Promise<unknown[]> =>
    withPostgres(postgres, async (client) => {
      const { rows } = await client.query(`select outcome from audit.events where tool = 'calculate_account_value'`);
      return rows;
    });
  while ((await recorded()).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await recorded()).toEqual([{ outcome: 'allowed' }]);
  for (const { says } of said) {
    expect(says()).not.toContain(passwords.redis);
    expect(says()).not.toContain(passwords.postgres);
    expect(says()).not.toContain(token.body.access_token);
  }
}, 180_000);
