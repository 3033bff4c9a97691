import { randomBytes } from 'node:crypto';
import type { Redis } from '@portcullis/redis/redis';
import { testRedis } from '@portcullis/redis/redis.fixture';
import type { Limiter } from './limiter.js';
import { limiterOn } from './limiter.redis.fixture.js';
import { RefusedMemory } from './refused.memory.js';
import { ruleTable } from './rule-table.js';

const REPLICAS = 4;
const CONNECTIONS = 64;
const PRINCIPALS = 6;
const RUN_MS = 2_000;
const WINDOWS = { requests: { limit: 25, windowMs: 150 }, llm_tokens: { limit: 900, windowMs: 240 } } as const;

const rule = (type: keyof typeof WINDOWS) => ({ id: type, type, per: ['principal'], windows: [WINDOWS[type]] });
const table = ruleTable.parse({
  version: 1,
  rules: [rule('requests'), rule('llm_tokens')],
  tools: {},
  otherTools: { llmTokens: 30 },
});

/** An admission, as the server dated it. */
interface Event {
  readonly at: number;
  readonly cost: number;
}

const server = testRedis();
let connections: Redis[];
beforeAll(async () => (connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => server.open()))));
afterAll(() => Promise.all(connections.map((connection) => connection.close())));

test.each([
  { memory: 'every question asks Redis', maxRefused: 0 },
  { memory: 'refusals are remembered', maxRefused: 1_000 },
])(
  'four replicas over 64 connections admit no more than the limit in any window, event by event, when $memory',
  async ({ maxRefused }) => {
    const tenant = server.freshTenant();
    const events = new Map<string, Event[]>();
    let scripts = 0;
    const replicas = Array.from({ length: REPLICAS }, (_, replica): Limiter => {
      const own = connections.filter((_each, i) => i % REPLICAS === replica);
      let turn = 0;
      const run: Redis['run'] = async (script, keys, args) => {
        const answer = await own[(turn += 1) % own.length]!.run(script, keys, args);
        scripts += 1;
        for (const { key, ...event } of admissions(keys, args, answer as number[])) {
          events.set(key, [...(events.get(key) ?? []), event]);
        }
        return answer;
      };
      return limiterOn({ run }, { table: () => table, refused: new RefusedMemory(maxRefused) });
    });

    const ends = performance.now() + RUN_MS;
    let [admitted, refused] = [0, 0];
    const asker = async (i: number): Promise<void> => {
      while (performance.now() < ends) {
        const limiter = replicas[randomBytes(1)[0]! % REPLICAS]!;
        const verdict = await limiter.decide({ tenant, principal: `agt_${i % PRINCIPALS}`, tool: 'any' });
        if (verdict.allowed) admitted += 1;
        else refused += 1;
        // more than was reserved, half of the times
        if (verdict.allowed && admitted % 2 === 0) await limiter.settle(tenant, verdict.lease, 35);
        if (!verdict.allowed && maxRefused > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all(Array.from({ length: 2 * CONNECTIONS }, (_, i) => asker(i)));

    expect(events.size).toBe(2 * PRINCIPALS);
    for (const [key, each] of events) {
      const { limit, windowMs } = WINDOWS[key.includes('requests') ? 'requests' : 'llm_tokens'];
      const fullest = fullestWindow(each, windowMs);
      expect(fullest).toBeLessThanOrEqual(limit);
      if (key.includes('requests')) expect(fullest).toBe(limit);
    }
    const counted = [...events]
      .filter(([key]) => key.includes('requests'))
      .reduce((sum, [, each]) => sum + each.length, 0);
    expect(admitted).toBe(counted);
    expect(refused).toBeGreaterThan(admitted);
    expect(scripts).toBeLessThan(admitted + refused);
  },
);

/** What a script admitted, by what it was sent and what it answered. */
function admissions(keys: readonly string[], args: readonly unknown[], answer: readonly number[]) {
  const admitted: (Event & { key: string })[] = [];
  let place = 1;
  for (const operation of JSON.parse(String(args[3])) as number[][]) {
    if (operation[0]! < 0) {
      place += 1;
      continue;
    }
    const draws = (operation.length - 1) / 6;
    const waits = Array.from({ length: draws }, (_, i) => answer[place + 3 * i + 1]!);
    place += 3 * draws;
    if (waits.some((wait) => wait !== 0)) continue;
    for (let i = 0; i < draws; i++) {
      admitted.push({ key: keys[operation[1 + 6 * i]! - 1]!, at: answer[0]!, cost: operation[5 + 6 * i]! });
    }
  }
  return admitted;
}

/** The most that any span of windowMs holds, counted from nothing but the events. */
function fullestWindow(events: readonly Event[], windowMs: number): number {
  const sorted = [...events].sort((a, b) => a.at - b.at);
  let [first, sum, most] = [0, 0, 0];
  for (const { at, cost } of sorted) {
    sum += cost;
    while (sorted[first]!.at <= at - windowMs) sum -= sorted[first++]!.cost;
    most = Math.max(most, sum);
  }
  return most;
}
