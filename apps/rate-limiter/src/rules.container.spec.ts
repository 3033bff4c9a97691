import { afterEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import type { Bus } from '@portcullis/bus/bus';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { memoryEventLog } from '@portcullis/bus/event-log.memory';
import { testKafka } from '@portcullis/bus/kafka.fixture';
import { silentLog } from '@portcullis/contract/log';
import { memoryContainment } from '@portcullis/guard/containment.memory';
import { newId } from '@portcullis/guard/new-id.memory';
import { openRules } from '@portcullis/guard/rules-feed';
import { MAX_RULES_BYTES } from '@portcullis/limits/read-rules';
import { RulesInForce } from '@portcullis/limits/rules-in-force';
import { createMetrics } from '@portcullis/service/metrics.http';
import { openRuleTable } from './rules.wire.js';

const { brokers, prefix } = testKafka();
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** One deployment on a broker: its processes share the topics and the file. */
function deployment() {
  const topicPrefix = `${prefix}${randomBytes(4).toString('hex')}-`;
  const containment = memoryContainment();
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-rules-'));
  opened.push({ close: async () => rmSync(folder, { recursive: true }) });
  const file = join(folder, 'rules.json');
  const recorded: AuditEvent[] = [];
  const bus = (): Bus => {
    const one = platformaticBus({ brokers, clientId: 'spec', topicPrefix, log: silentLog });
    opened.push(one);
    return one;
  };
  const common = () => ({ bus: bus(), now: Date.now, uptime: () => performance.now(), log: silentLog });
  return {
    recorded,
    put(content: unknown): void {
      writeFileSync(`${file}.new`, JSON.stringify(content));
      renameSync(`${file}.new`, file);
    },
    async limiter(): Promise<RulesInForce> {
      const [rules, metrics] = [new RulesInForce(), createMetrics('rate-limiter')];
      const events = memoryEventLog({ service: 'rate-limiter', newId, onEvent: (event) => void recorded.push(event) });
      const life = await openRuleTable(file, { ...common(), containment, rules, metrics, events });
      opened.push({ close: life.stop });
      return rules;
    },
    async follower(): Promise<RulesInForce> {
      const rules = new RulesInForce();
      const { bus: own, ...ports } = common();
      const feed = await openRules(own, 'mcp-server', rules, { ...ports, keysOf: containment.keysOf });
      opened.push({ close: feed.stop });
      return rules;
    },
  };
}

const table = (version: number, tools: object = {}) => ({
  version,
  rules: [{ id: 'few', type: 'requests', per: ['principal'], windows: [{ limit: version, windowMs: 60_000 }] }],
  tools,
  otherTools: { llmTokens: 0 },
});
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('two limiters that read one file at one time are of one mind on a broker, and on record once a version', async () => {
  const { recorded, put, limiter, follower } = deployment();
  put(table(1));
  const all = [...(await Promise.all([limiter(), limiter()])), await follower()];
  for (const version of [2, 3, 4]) {
    put(table(version));
    await until(() => all.every((rules) => rules.version === version) && recorded.length >= version);
  }
  // what both told of the last version has been heard once the one that comes now has heard it
  expect((await follower()).version).toBe(4);
  expect(recorded.map(({ data }) => (data as { rules?: { version: number } }).rules?.version)).toEqual([1, 2, 3, 4]);
});

test('the largest table that there may be reaches who follows, and who comes later', async () => {
  const { put, limiter, follower } = deployment();
  const tools = Object.fromEntries(
    Array.from({ length: 6_000 }, (_, i) => [`tool-${i}`, { llmTokens: 1, costMicros: 1 }]),
  );
  const large = table(7, tools);
  expect(JSON.stringify(large).length / MAX_RULES_BYTES).toBeGreaterThan(0.95);
  put(large);
  const early = await follower();
  await limiter();
  await until(() => early.version === 7);
  const late = await follower();
  expect(Object.keys(late.table().tools)).toHaveLength(6_000);
});
