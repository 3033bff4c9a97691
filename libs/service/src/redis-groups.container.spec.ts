import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { principalId } from '@portcullis/contract/ids';
import { silentLog } from '@portcullis/contract/log';
import { Secret } from '@portcullis/contract/secret';
import { limiterOn } from '@portcullis/limits/limiter.redis.fixture';
import type { Redis } from '@portcullis/redis/redis';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { freePort } from '../../../tools/test/breaking.mjs';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { selfSigned } from './certificate.fixture.js';
import { openSharedRedis } from './redis.wire.js';
import { sharedGuard } from './shared-guard.wire.js';

// A cluster of three and a group behind a sentinel, as a hardened deployment has them: TLS between all of them, users with
// the rights that infra/redis gives, and nobody else let in.
const folder = mkdtempSync(join(tmpdir(), 'portcullis-redis-'));
const server = selfSigned();
const ca = join(folder, 'server.pem');
const password = randomBytes(16).toString('hex');
const sha = createHash('sha256').update(password).digest('hex');
const usersOf = (name: string): string =>
  readFileSync(new URL(`../../../infra/redis/${name}.acl`, import.meta.url), 'utf8').replace(
    /^(user (?!default).*)$/gm,
    `$1 #${sha}`,
  ) + `user operator on #${sha} ~* &* +@all\n`;

let container: StartedTestContainer;
let ports: number[];
const opened: Redis[] = [];
/** Servers tell each other, and us, where they are: so each has the same port in the container as outside, on loopback. */
async function sixPorts(): Promise<number[]> {
  const free = new Set<number>();
  // the nodes of a cluster talk on a port that is higher by 10,000
  while (free.size < 6) {
    const port = await freePort();
    if (port < 55_000) free.add(port);
  }
  return [...free];
}
const TLS = '--port 0 --tls-cert-file s.pem --tls-key-file s.key --tls-ca-cert-file s.pem --tls-replication yes';
const CLI = `redis-cli --tls --cert s.pem --key s.key --cacert s.pem --user operator --pass ${password} --no-auth-warning`;
const started = (port: number, more: string): string =>
  `redis-server ${TLS} --tls-port ${port} --tls-auth-clients no --aclfile users.acl --masteruser operator --masterauth ${password} --save '' ${more} &`;

beforeAll(async () => {
  writeFileSync(ca, server.cert);
  ports = await sixPorts();
  const [a, b, c, master, replica, sentinel] = ports as [number, number, number, number, number, number];
  const nodes = [a, b, c].map((port) =>
    started(
      port,
      `--cluster-enabled yes --tls-cluster yes --cluster-config-file ${port}.conf --cluster-announce-ip 127.0.0.1`,
    ),
  );
  const watching = [
    `sentinel monitor main 127.0.0.1 ${master} 1`,
    'sentinel auth-user main operator',
    `sentinel auth-pass main ${password}`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 5000',
    'aclfile /tmp/sentinel.acl',
  ];
  const content = (text: string, name: string) => ({ content: text, target: `/tmp/${name}`, mode: 0o666 });
  container = await new GenericContainer(IMAGES.redis)
    .withCopyContentToContainer([
      content(server.cert, 's.pem'),
      content(server.key, 's.key'),
      content(usersOf('users'), 'users.acl'),
      content(usersOf('sentinel'), 'sentinel.acl'),
      content(`${watching.join('\n')}\n`, 'sentinel.conf'),
    ])
    .withEntrypoint(['sh', '-c'])
    .withCommand([
      `cd /tmp; ${nodes.join(' ')} ${started(master, '')} ${started(replica, `--replicaof 127.0.0.1 ${master}`)}
      for port in ${[a, b, c, master, replica].join(' ')}; do until ${CLI} -p $port ping | grep -q PONG; do sleep 0.1; done; done
      redis-server sentinel.conf --sentinel ${TLS} --tls-port ${sentinel} --tls-auth-clients no &
      ${CLI} -p ${a} --cluster create ${[a, b, c].map((port) => `127.0.0.1:${port}`).join(' ')} --cluster-yes
      until ${CLI} -p ${a} cluster info | grep -q cluster_state:ok; do sleep 0.1; done
      until ${CLI} -p ${sentinel} sentinel replicas main | grep -q ${replica}; do sleep 0.1; done
      echo all are started; sleep 3600`,
    ])
    .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
    .withWaitStrategy(Wait.forLogMessage('all are started'))
    .start();
});
afterEach(() => Promise.all(opened.splice(0).map((redis) => redis.close())));
afterAll(async () => {
  await container?.stop({ timeout: 0 });
  rmSync(folder, { recursive: true });
});

/** As mcp-server opens it, by its settings. */
async function open(url: string, atSentinels?: { name: string; password: string }): Promise<Redis> {
  const settings = {
    PORTCULLIS_MODE: 'hardened' as const,
    REDIS_URL: new Secret(url),
    REDIS_SSL_CA_FILE: ca,
    REDIS_SSL_CERT_FILE: undefined,
    REDIS_SSL_KEY_FILE: undefined,
    REDIS_SENTINEL_USERNAME: atSentinels?.name,
    REDIS_SENTINEL_PASSWORD: atSentinels && new Secret(atSentinels.password),
  };
  const redis = await openSharedRedis(settings, 'mcp-server', silentLog);
  opened.push(redis!);
  return redis!;
}
const clusterUrl = (as = `tools:${password}`): string =>
  `rediss+cluster://${as}@127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}`;
const sentinelUrl = (): string => `rediss+sentinel://tools:${password}@127.0.0.1:${ports[5]}/main`;
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await holds().catch(() => false)); tries++) {
    if (tries > 1_000) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** All that mcp-server keeps on Redis, for one tenant. */
async function everything(redis: Redis, tenant: string): Promise<unknown[]> {
  const limiter = limiterOn(redis);
  const guard = sharedGuard(redis, 'mcp', new Uint8Array(32).fill(7));
  const [history, { replay }] = [guard.history!, guard.proofs!];
  const principal = principalId(tenant, 'a');
  const who = { principal, task: 't' };
  const verdict = await limiter.decide({ tenant, principal, tool: 'get_customer_info', user: 'u' });
  const lease = verdict.allowed ? verdict.lease : '';
  const keptUntil = Date.now() + 60_000;
  return [
    verdict.allowed,
    await limiter.settle(tenant, lease, 700),
    await limiter.settle(tenant, lease, 700),
    await history.take(tenant, who, { tool: 'export_data', customers: ['C1'] }, { perTask: 1, perHour: 1 }),
    await history.take(tenant, who, { customers: ['C2'] }, { perTask: 1, perHour: 1 }),
    (await history.pastOf(tenant, who)).task.began.size,
    await replay.use(tenant, principal, 'j', keptUntil),
    await replay.use(tenant, principal, 'j', keptUntil),
  ];
}
const AS_IT_MUST = [true, true, false, 'taken', 'over_budget', 1, 'first', 'again'];

describe('a cluster over TLS', () => {
  test('takes every script of a service, with no more rights than it has, for tenants on each of its nodes', async () => {
    const redis = await open(clusterUrl());
    const tenants = Array.from({ length: 24 }, () => `t-${randomBytes(6).toString('hex')}`);
    const outcomes = await Promise.all(tenants.map((tenant) => everything(redis, tenant)));
    expect(outcomes).toEqual(tenants.map(() => AS_IT_MUST));
    const used = await Promise.all(
      ports.slice(0, 3).map(async (port) => {
        const { output } = await container.exec(['sh', '-c', `cd /tmp; ${CLI} -p ${port} dbsize`]);
        return Number(output);
      }),
    );
    for (const keys of used) expect(keys).toBeGreaterThan(0);
  });

  test('lets nobody in with another password', async () => {
    await expect(open(clusterUrl('tools:hunter2'))).rejects.not.toThrow('hunter2');
  });
});

describe('a group behind a sentinel over TLS', () => {
  test('is reached by a service that logs in at the sentinel and at the master, and at the next master', async () => {
    const redis = await open(sentinelUrl(), { name: 'services', password });
    const tenant = `t-${randomBytes(6).toString('hex')}`;
    expect(await everything(redis, tenant)).toEqual(AS_IT_MUST);
    const before = redis.runs();
    await container.exec(['sh', '-c', `cd /tmp; ${CLI} -p ${ports[5]} sentinel failover main`]);
    await until(async () => redis.runs() !== before);
    await until(async () => (await everything(redis, `t-${randomBytes(6).toString('hex')}`))[0] === true);
  });

  test.each([
    ['no name', undefined],
    ['a wrong password', { name: 'services', password: 'hunter2' }],
    ['the name that it has at the master', { name: 'tools', password }],
  ])('is not found by a service that has %s at the sentinel', async (_what, who) => {
    await expect(open(sentinelUrl(), who)).rejects.not.toThrow(/hunter2/);
  });
});
