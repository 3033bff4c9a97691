import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { RuleTable } from '@portcullis/limits/rule-table';
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { limiterOn } from '@portcullis/limits/limiter.redis.fixture';
import { keyedId } from '@portcullis/redis/keyed-id';
import type { Redis, RedisValue } from '@portcullis/redis/redis';
import { testRedis } from '@portcullis/redis/redis.fixture';
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { CallRecord, Operation } from './call.js';
import { CHAIN_RULES } from './chain.table.js';
import { chainTable } from './chain.js';
import { memoryGuard } from './guard.memory.js';
import { redisHistory } from './history.redis.js';
import { nonces } from './nonces.js';
import { admit, run, type Arriving } from './pipeline.js';
import { memoryProofChecks } from './proof-checks.memory.js';
import { proofBy, proofKey } from './proof.fixture.js';
import { redisProofReplay } from './proof-replay.redis.js';
import { DEFAULT_SLOTS } from './slots.js';
import { athOf, countingIssuer } from './token.fixture.js';
import { defineTool, type AnyTool } from './tool.js';

const server = testRedis();
const tenant = server.freshTenant();
const sent: string[] = [];
let redis: Redis;
beforeAll(async () => (redis = await server.open()));
afterAll(() => redis.close());

/** What must not be found, each in a form that nothing else has. */
const OURS = {
  customer: 'CUST-8f3a1c',
  mail: 'ada.lovelace@example.net',
  note: 'the customer wants her money back',
  client: 'client-9d27aa',
  person: 'user-11c0de',
  task: 'task-77be01',
  tokenId: 'token-id-52f1e8',
  proofId: 'proof-id-0b9c44',
};
const exporting = defineTool({
  name: 'export_data',
  description: '',
  scopes: ['customer:read'],
  effects: ['reads-pii'],
  limit: { perMinute: 60, llmTokens: 500 },
  input: z.strictObject({ customer_id: z.string(), note: z.string() }),
  output: z.strictObject({ customer_id: z.string(), email: z.string() }),
  customersOf: ({ customer_id }) => [customer_id],
  execute: async ({ customer_id }: { customer_id: string; note: string }) => ({ customer_id, email: OURS.mail }),
}) as unknown as AnyTool;

/** The rules of the house, and one for whoever can be known by a name. */
const table: RuleTable = {
  ...HOUSE_TABLE,
  rules: [
    ...HOUSE_TABLE.rules,
    ...(['arrivals', 'requests'] as const).map((type) => ({
      ...{ id: `people-${type}`, type, fail: 'closed' as const, windows: [{ limit: 9, windowMs: 60_000 }] },
      per: ['user' as const, 'address' as const],
    })),
  ],
};

/** The same connection, with everything that goes over it written down. */
const overheard = (): Redis => ({
  run: async (script, keys, args) => {
    sent.push(...keys, ...args.map(String));
    return redis.run(script, keys, args);
  },
  send: (command, ...args) => redis.send(command, ...args),
  ping: () => redis.ping(),
  info: (section) => redis.info(section),
  runs: () => redis.runs(),
  learnRuns: () => redis.learnRuns(),
  close: () => redis.close(),
});

async function everythingIn(store: Redis): Promise<string> {
  const ask = (command: string, ...args: RedisValue[]): Promise<unknown> => store.send(command, ...args);
  const READ: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => ask('get', key),
    hash: (key) => ask('hgetall', key),
    set: (key) => ask('smembers', key),
    zset: (key) => ask('zrange', key, 0, -1, 'withscores'),
    list: (key) => ask('lrange', key, 0, -1),
  };
  const keys = (await ask('keys', '*')) as string[];
  const values = await Promise.all(
    keys.map(async (key) => {
      const type = String(await ask('type', key));
      const read = READ[type];
      // it ended meanwhile
      if (type === 'none') return '';
      if (read === undefined) throw new Error(`a ${type} cannot be read here`);
      return read(key).catch(() => '');
    }),
  );
  return JSON.stringify([keys, values]);
}

it('after real calls Redis knows counts, ages and names of tools, and no token, person, customer or argument', async () => {
  const start = Math.floor(Date.now() / 1000) * 1000;
  const issuer = await countingIssuer(start);
  const store = overheard();
  const [secret, now] = [randomBytes(32), Date.now];
  const idOf = keyedId(secret);
  const proofs = {
    ...memoryProofChecks(now),
    nonces: nonces(secret, now, () => store.runs()),
    replay: redisProofReplay({ redis: store, service: 'mcp', idOf, now }),
  };
  const { guard } = memoryGuard({
    rules: { ...issuer.rules, now },
    isRevoked: () => false,
    stateOf: () => 'Normal',
    limiter: limiterOn(store, { table: () => table }),
    slots: DEFAULT_SLOTS,
    chain: chainTable(CHAIN_RULES),
    depsFor: () => undefined,
    now,
    shared: { history: redisHistory({ redis: store, idOf, now }), proofs },
  });
  const key = await proofKey();
  const claims = {
    ...{ client_id: OURS.client, sub: OURS.person, jti: OURS.tokenId, tenant, task: OURS.task },
    cnf: { jkt: key.jkt },
  };
  const token = await issuer.token(claims);
  const htu = issuer.rules.audience;
  for (let n = 0; n < 3; n++) {
    const jti = `${OURS.proofId}-${n}`;
    const proof = await proofBy(key, { htu, token, nonce: proofs.nonces.current(), claims: { jti } });
    const args = { customer_id: OURS.customer, note: OURS.note };
    const operation: Operation = { kind: 'tool', method: 'tools/call', tool: exporting, args };
    const arriving: Arriving = {
      authorization: [`DPoP ${token}`],
      dpop: [proof],
      method: 'POST',
      address: '192.0.2.77',
      readOperation: async () => operation,
    };
    const record: CallRecord = { correlationId: 'c1', startedAt: now(), denial: false, stepsMs: {} };
    const call = await admit(arriving, record, guard);
    const output = await run(call, guard, { isGone: () => false, attempted: async () => 'event-1' });
    expect(output).toMatchObject({ customer_id: OURS.customer });
  }

  const all = await everythingIn(redis);
  // what is looked for would be found, were it there: the calls are
  for (const name of [`{${tenant}}:history:principals`, `{${tenant}}:proofs:mcp`, 'b:export_data']) {
    expect(all).toContain(name);
  }
  for (const rule of ['requests', 'people-arrivals', 'people-requests'])
    expect(all).toContain(`{${tenant}}:limit/${rule}/`);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const secrets = { ...OURS, header, payload, signature, ath: athOf(token), jkt: key.jkt, address: '192.0.2.77' };
  for (const [what, value] of Object.entries(secrets)) {
    expect([what, all.includes(value), sent.some((each) => each.includes(value))]).toEqual([what, false, false]);
  }
});
