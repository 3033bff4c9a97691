import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as waited } from 'node:timers/promises';
import { Secret } from '@portcullis/contract/secret';
import { openRedis } from '@portcullis/redis/connect.redis';
import type { Redis } from '@portcullis/redis/redis';
import { script } from '@portcullis/redis/script';
import { DECIDE } from './decide-script.js';
import { limiterOn } from './limiter.redis.fixture.js';
import { RefusedMemory } from './refused.memory.js';
import { ruleTable } from './rule-table.js';

/** What a replica is told by the test that starts this program. */
export interface LoadTask {
  readonly url: string;
  readonly tenant: string;
  readonly table: unknown;
  readonly connections: number;
  readonly runMs: number;
  /** callers far over a limit that it remembers */
  readonly remembered: number;
  /** its clocks jump an hour forth and back, again and again */
  readonly clockJumps: boolean;
}
/** One run of the script, as this replica sent it and had it answered; `order` counts the runs of all replicas. */
export interface Turn {
  readonly order: number;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly answer: readonly number[];
}
export interface LoadReport {
  readonly turns: readonly Turn[];
  readonly admitted: number;
  readonly refused: Readonly<Record<string, number>>;
  /** leases that were settled, and those of them that were settled a second time */
  readonly settled: number;
  readonly twice: number;
}

const LOOPS_PER_CONNECTION = 2;
const PRINCIPALS = 6;
const HOUR = 3_600_000;

/** The script, and after it how many ran before it: which of them came first cannot be told from the time, which is in ms. */
const IN_ORDER = script(
  'limits-in-order',
  DECIDE.text.replace(/^#!lua/, '').replace(
    /return answers\s*$/,
    `answers[answered + 1] = redis.call('INCR', KEYS[#KEYS])
return answers
`,
  ),
);
export const orderKey = (tenant: string): string => `{${tenant}}:order`;

async function run({ url, tenant, table, connections, runMs, remembered, clockJumps }: LoadTask): Promise<LoadReport> {
  const open = (): Promise<Redis> => openRedis(new Secret(url), { onBroken: () => undefined, answerMs: 30_000 });
  const opened = await Promise.all(Array.from({ length: connections }, open));
  process.send?.('ready');
  await new Promise((resolve) => process.once('message', resolve));

  const turns: Turn[] = [];
  const counted = { admitted: 0, settled: 0, twice: 0 };
  const refused: Record<string, number> = {};
  let jump = 0;
  if (clockJumps) {
    const { now } = Date;
    Date.now = () => now() + jump;
    setInterval(() => (jump = [0, HOUR, -HOUR][randomInt(3)]!), 50).unref();
  }
  let next = 0;
  const ask: Redis['run'] = async (_script, keys, args) => {
    const connection = opened[(next += 1) % opened.length]!;
    const answer = (await connection.run(IN_ORDER, [...keys, orderKey(tenant)], args)) as number[];
    const order = answer.pop()!;
    turns.push({ order, keys: [...keys], args: args.map(String), answer });
    return answer;
  };
  const limiter = limiterOn(
    { run: ask },
    {
      table: () => parsed,
      refused: new RefusedMemory(remembered),
      now: () => performance.now() + jump,
      random: randomBytes,
    },
  );
  const parsed = ruleTable.parse(table);

  const ends = performance.now() + runMs;
  const loop = async (): Promise<void> => {
    while (performance.now() < ends) {
      // most are refused by what they want much of
      const wants = randomInt(4);
      const [llmTokens, costMicros] = [wants === 1 ? randomInt(60) : 0, wants === 2 ? randomInt(40) : 0];
      const verdict = await limiter.decide({
        tenant,
        principal: `agt_${randomInt(PRINCIPALS)}`,
        user: `usr_${randomInt(2)}`,
        tool: randomInt(2) === 0 ? 'read' : 'write',
        llmTokens,
        costMicros,
      });
      if (!verdict.allowed) {
        refused[verdict.limitType] = (refused[verdict.limitType] ?? 0) + 1;
        await waited(randomInt(4));
        continue;
      }
      counted.admitted += 1;
      if (randomInt(2) === 0) await waited(randomInt(30));
      // by two at once every now and then, and with more or less than was reserved
      const settle = async () =>
        randomInt(4) === 0
          ? limiter.release(tenant, verdict.lease)
          : limiter.settle(tenant, verdict.lease, randomInt(90), randomInt(3) === 0 ? undefined : randomInt(60));
      const took = await Promise.all(randomInt(4) === 0 ? [settle(), settle(), settle()] : [settle()]);
      const times = took.filter(Boolean).length;
      counted.settled += Math.min(1, times);
      counted.twice += Math.max(0, times - 1);
    }
  };
  await Promise.all(Array.from({ length: connections * LOOPS_PER_CONNECTION }, loop));
  await limiter.close();
  await Promise.all(opened.map((connection) => connection.close()));
  return { turns, refused, ...counted };
}

// This is the program; a test that imports its types does not run it.
if (process.argv[1] === import.meta.filename) {
  process.once('message', (task) => {
    void run(task as LoadTask).then((report) =>
      process.send?.(report, undefined, undefined, () => process.disconnect()),
    );
  });
}
