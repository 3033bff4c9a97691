import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { principalId } from '@portcullis/contract/ids';
import { Secret } from '@portcullis/contract/secret';
import { AwayMemory } from '@portcullis/limits/away.memory';
import type { Limiter } from '@portcullis/limits/limiter';
import { limiterOn } from '@portcullis/limits/limiter.redis.fixture';
import { ruleTable } from '@portcullis/limits/rule-table';
import { openRedis } from '@portcullis/redis/connect.redis';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import { script } from '@portcullis/redis/script';
import { randomBytes } from 'node:crypto';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { IMAGES } from '../../../tools/test/engine.mjs';
import type { History } from './history.js';
import { redisHistory } from './history.redis.js';
import type { ProofReplay } from './proof-replay.js';
import { redisProofReplay } from './proof-replay.redis.js';

const LIMIT = 4;
const REPLICAS = 2;
const rule = (fail: string) => ({
  id: fail,
  type: 'tool_requests',
  per: ['principal'],
  when: { tools: [fail] },
  windows: [{ limit: LIMIT, windowMs: 86_400_000 }],
  fail,
});
const tokens = {
  id: 'tokens',
  type: 'llm_tokens',
  per: ['principal'],
  when: { tools: ['tokens'] },
  windows: [{ limit: 100, windowMs: 86_400_000 }],
};
const table = ruleTable.parse({
  version: 1,
  rules: [rule('closed'), rule('share'), tokens],
  tools: { tokens: { llmTokens: 60 } },
  otherTools: { llmTokens: 0 },
});

// With a server of this file's own, whose memory is full when a test says so.
let container: StartedTestContainer;
let redis: Redis;
let history: History;
let replay: ProofReplay;
beforeAll(async () => {
  container = await new GenericContainer(IMAGES.redis)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  const url = new Secret(`redis://${container.getHost()}:${container.getMappedPort(6379)}`);
  redis = await openRedis(url, { onBroken: () => undefined, evicting: { refused: true, hear: () => undefined } });
  const idOf = keyedId(randomBytes(32));
  history = redisHistory({ redis, idOf, now: Date.now });
  replay = redisProofReplay({ redis, service: 'mcp', idOf, now: Date.now });
});
afterAll(async () => {
  await redis?.close();
  await container?.stop();
});

/** Meanwhile the server holds more than it may, and takes nothing that needs room. */
async function whileFull(work: () => Promise<void>): Promise<void> {
  await redis.send('config', 'set', 'maxmemory', 1);
  try {
    await work();
  } finally {
    await redis.send('config', 'set', 'maxmemory', 0);
  }
}
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it passed',
    (error: { code?: unknown }) => error.code,
  );
const principal = principalId('acme', 'a');
const who = { principal, task: 't' };
const limiter = (): Limiter => limiterOn(redis, { table: () => table, away: new AwayMemory(REPLICAS, 1_000) });
const ask = async (on: Limiter, tool: string) => on.decide({ tenant: 'acme', principal, tool });
const admitted = async (on: Limiter, tool: string, times: number): Promise<number> => {
  let count = 0;
  for (let i = 0; i < times; i++) count += (await ask(on, tool)).allowed ? 1 : 0;
  return count;
};

describe('a Redis whose memory is full', () => {
  it('admits nothing by a rule that fails closed, and what it refused was not counted', async () => {
    await whileFull(async () => {
      for (let i = 0; i < 2 * LIMIT; i++) expect(await codeOf(ask(limiter(), 'closed'))).toBe('overloaded');
    });
    expect(await admitted(limiter(), 'closed', 2 * LIMIT)).toBe(LIMIT);
  });

  it('is away for a rule that shares: a replica admits its part', async () => {
    await whileFull(async () => {
      expect(await admitted(limiter(), 'share', 2 * LIMIT)).toBe(LIMIT / REPLICAS);
    });
  });

  it('takes no proof and no history, and knows those from before', async () => {
    const use = async (jti: string) => replay.use('acme', principal, jti, Date.now() + 120_000);
    const take = async (customer: string) =>
      history.take('acme', who, { customers: [customer] }, { perTask: 2, perHour: 2 });
    expect([await use('before'), await take('C1')]).toEqual(['first', 'taken']);
    await whileFull(async () => {
      expect(await codeOf(use('new'))).toBe('overloaded');
      expect(await codeOf(take('C2'))).toBe('overloaded');
      expect(await codeOf(use('before'))).toBe('overloaded');
    });
    expect([await use('before'), await use('new')]).toEqual(['again', 'first']);
    expect([await take('C2'), await take('C3')]).toEqual(['taken', 'over_budget']);
  });

  it('does not settle what was reserved, which stays charged until it can', async () => {
    const one = limiter();
    const verdict = await ask(one, 'tokens');
    const settle = async () => one.settle('acme', verdict.allowed ? verdict.lease : '', 10);
    expect((await ask(one, 'tokens')).allowed).toBe(false);
    await whileFull(async () => {
      expect(await codeOf(settle())).toBe('overloaded');
    });
    const another = limiter();
    expect((await ask(another, 'tokens')).allowed).toBe(false);
    expect(await another.settle('acme', verdict.allowed ? verdict.lease : '', 10)).toBe(true);
    expect((await ask(another, 'tokens')).allowed).toBe(true);
  });

  it('takes nothing either from a script that frees something first', async () => {
    const swap = script('swap', `redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[2], ARGV[1])`);
    await redis.send('set', '{acme}:old', '1');
    await whileFull(async () => {
      await expect(redis.run(swap, ['{acme}:old', '{acme}:new'], ['2'])).rejects.toMatchObject({ away: 'not_taken' });
    });
    expect(await redis.send('mget', '{acme}:old', '{acme}:new')).toEqual(['1', null]);
  });
});
