import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { Refusal } from '@portcullis/contract/refusals';
import { Secret } from '@portcullis/contract/secret';
import { openRedis } from '@portcullis/redis/connect.redis';
import type { Redis } from '@portcullis/redis/redis';
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { AwayMemory } from './away.memory.js';
import type { Limiter } from './limiter.js';
import { limiterOn } from './limiter.redis.fixture.js';
import { ruleTable } from './rule-table.js';

const LIMIT = 8;
const REPLICAS = 2;
const DAY = 86_400_000;
/** No window ends while a test runs, so that all that is admitted is in one. */
const table = ruleTable.parse({
  version: 7,
  rules: [
    rule('closed', { fail: 'closed', when: { tools: ['closed', 'both'] } }),
    rule('share', { fail: 'share', when: { tools: ['share', 'both'] } }),
    rule('open', { fail: 'open', when: { tools: ['open'] } }),
    { ...rule('tokens', { fail: 'share', when: { tools: ['tokens'] } }), type: 'llm_tokens' },
  ],
  tools: { open: { llmTokens: 0, effects: 'none' } },
  otherTools: { llmTokens: 0 },
});
function rule(id: string, more: object) {
  return { id, type: 'tool_requests', per: ['principal', 'tool'], windows: [{ limit: LIMIT, windowMs: DAY }], ...more };
}

let container: StartedTestContainer;
let connections: Redis[];
let limiters: Limiter[];
let heard: number;
const engine = async () => (await getContainerRuntimeClient()).container.getById(container.getId());

beforeAll(async () => {
  // a port of its own, which stays the same when the server is started anew
  const port = await freePort();
  container = await new GenericContainer(IMAGES.redis)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no'])
    .withExposedPorts({ container: 6379, host: port })
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  const url = new Secret(`redis://${container.getHost()}:${port}`);
  const open = () => openRedis(url, { onBroken: () => undefined, answerMs: 150 });
  connections = [await open(), await open()];
});
afterAll(async () => {
  await Promise.all((connections ?? []).map((connection) => connection.close()));
  await container?.stop();
});
beforeEach(() => {
  heard = 0;
  limiters = connections.map((redis) =>
    limiterOn(redis, { table: () => table, away: new AwayMemory(REPLICAS, 1_000), onAway: () => (heard += 1) }),
  );
});

const tenant = `t-${randomBytes(6).toString('hex')}`;
const principal = () => `agt_${randomBytes(6).toString('hex')}`;

/** Asks each replica in turn, so often. @returns how many were admitted, refused by a limit, and refused as overloaded */
async function asked(tool: string, who: string, times: number, llmTokens = 0) {
  const counted = { admitted: 0, refused: 0, overloaded: 0, leases: [] as string[] };
  for (let i = 0; i < times; i++) {
    try {
      const verdict = await limiters[i % REPLICAS]!.decide({ tenant, principal: who, tool, llmTokens });
      counted[verdict.allowed ? 'admitted' : 'refused'] += 1;
      if (verdict.allowed) counted.leases.push(verdict.lease);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'overloaded') throw error;
      counted.overloaded += 1;
    }
  }
  return counted;
}
/** Until every replica is answered by Redis again, without a hand. */
async function recovered() {
  for (const limiter of limiters) {
    for (let tries = 0; ; tries++) {
      const back = await (async () => limiter.decide({ tenant, principal: principal(), tool: 'closed' }))().catch(
        () => undefined,
      );
      if (back?.allowed) break;
      if (tries > 1_000) throw new Error('Redis is back, and a limiter does not ask it');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function paused(whileAway: () => Promise<void>) {
  await (await engine()).pause();
  try {
    await whileAway();
  } finally {
    await (await engine()).unpause();
  }
  await recovered();
}
async function killed(whileAway: () => Promise<void>) {
  await (await engine()).kill();
  try {
    await whileAway();
  } finally {
    await (await engine()).start();
  }
  await recovered();
}

describe.each([
  { how: 'paused', away: paused, forgotten: 0 },
  { how: 'killed, and started without its data', away: killed, forgotten: LIMIT },
])('a Redis that is $how', ({ away, forgotten }) => {
  test('closed: nothing is admitted meanwhile, and afterwards what Redis has not counted', async () => {
    const who = principal();
    expect(await asked('closed', who, LIMIT + 2)).toMatchObject({ admitted: LIMIT, refused: 2 });
    const another = principal();
    await away(async () => {
      expect(await asked('closed', another, 6)).toMatchObject({ admitted: 0, overloaded: 6 });
      // whoever was refused until tomorrow still is, without asking anybody
      expect(await limiters[1]!.decide({ tenant, principal: who, tool: 'closed' })).toMatchObject({ allowed: false });
    });
    limiters = connections.map((redis) => limiterOn(redis, { table: () => table }));
    expect(await asked('closed', who, 2 * LIMIT)).toMatchObject({ admitted: forgotten });
    const { admitted } = await asked('closed', another, 2 * LIMIT);
    // what was asked without an answer may have been charged: too much, never too little
    expect(admitted).toBeLessThanOrEqual(LIMIT);
    expect(admitted).toBeGreaterThanOrEqual(LIMIT - REPLICAS);
  });

  test('share: each replica admits its part, over all no more than the limit, however often Redis goes', async () => {
    const who = principal();
    expect(await asked('share', who, LIMIT)).toMatchObject({ admitted: LIMIT });
    await away(async () => {
      expect(await asked('share', who, 3 * LIMIT)).toMatchObject({ admitted: LIMIT, refused: 2 * LIMIT });
    });
    const after = await asked('share', who, 2 * LIMIT);
    expect(after.admitted).toBeLessThanOrEqual(forgotten);
    await away(async () => {
      expect(await asked('share', who, 2 * LIMIT)).toMatchObject({ admitted: 0, refused: 2 * LIMIT });
    });
  });

  test('open: all are admitted meanwhile', async () => {
    const who = principal();
    await asked('open', who, LIMIT);
    await away(async () => {
      expect(await asked('open', who, 3 * LIMIT)).toMatchObject({ admitted: 3 * LIMIT });
    });
  });

  test('of several rules the strictest decides', async () => {
    await away(async () => {
      expect(await asked('both', principal(), 4)).toMatchObject({ admitted: 0, overloaded: 4 });
    });
  });

  test('what a replica reserved by itself is settled there, also when Redis is back', async () => {
    const who = principal();
    let leases: string[] = [];
    await away(async () => {
      ({ leases } = await asked('tokens', who, 2, LIMIT / REPLICAS));
      expect(await asked('tokens', who, 2, 1)).toMatchObject({ refused: 2 });
      expect(await limiters[0]!.settle(tenant, leases[0]!, 1)).toBe(true);
      expect(await asked('tokens', who, 2, LIMIT / REPLICAS - 1)).toMatchObject({ admitted: 1, refused: 1 });
    });
    expect(await limiters[1]!.settle('another', leases[1]!, 0)).toBe(false);
    expect(await limiters[1]!.settle(tenant, leases[1]!, 0)).toBe(true);
    expect(await limiters[1]!.settle(tenant, leases[1]!, 0)).toBe(false);
  });

  test('it is heard of once, a lease of Redis is not settled meanwhile, and is afterwards as far as Redis knows it', async () => {
    const { leases } = await asked('tokens', principal(), 1, 5);
    await away(async () => {
      await asked('closed', principal(), 10);
      expect(heard).toBe(REPLICAS);
      await expect((async () => limiters[0]!.settle(tenant, leases[0]!, 1))()).rejects.toThrow(Refusal);
    });
    const settled = await limiters[0]!.settle(tenant, leases[0]!, 1);
    if (forgotten > 0) expect(settled).toBe(false);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
