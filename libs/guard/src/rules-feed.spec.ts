import { memoryBus } from '@portcullis/bus/bus.memory';
import { ruleTable, type RuleTable } from '@portcullis/limits/rule-table';
import { rulesDigest, RulesInForce } from '@portcullis/limits/rules-in-force';
import { feedRig } from './feeds.fixture.js';
import { openRules, RULES_KEY, RULES_TOPIC, type HeardRules } from './rules-feed.js';

const table = (version: number, limit = 5): RuleTable =>
  ruleTable.parse({
    version,
    rules: [{ id: 'few', type: 'requests', per: ['principal'], windows: [{ limit, windowMs: 1_000 }] }],
    tools: {},
    otherTools: { llmTokens: 0 },
  });

async function rig() {
  const of = feedRig(memoryBus());
  const say = (rules: RuleTable, more: { key?: string; seq?: number; by?: string } = {}) => {
    const { key = RULES_KEY, seq = rules.version, by = 'one' } = more;
    return of.publish(RULES_TOPIC, { key, seq, body: { by, table: rules } });
  };
  const open = async (group = 'mcp-server') => {
    const rules = new RulesInForce();
    const heard: HeardRules[] = [];
    const feed = await openRules(of.bus, group, rules, { ...of.ports, heard: (said) => void heard.push(said) });
    return { rules, heard, feed };
  };
  return { ...of, say, open };
}

test('a table that was said before this process is in force when the feed is open', async () => {
  const { say, open } = await rig();
  await say(table(3));
  const { rules, feed } = await open();
  expect(rules.table()).toEqual(table(3));
  expect(feed.ready()).toBe(true);
  await feed.stop();
  expect(feed.ready()).toBe(false);
});

test('every replica follows, and who listens is told which process said it', async () => {
  const { say, open } = await rig();
  const [one, other] = [await open('mcp-server'), await open('rate-limiter')];
  await say(table(1), { by: 'p1' });
  await say(table(2), { by: 'p2' });
  for (const { rules, heard } of [one, other]) {
    expect(rules.table()).toEqual(table(2));
    expect(heard).toEqual([
      { by: 'p1', version: 1, digest: rulesDigest(table(1)) },
      { by: 'p2', version: 2, digest: rulesDigest(table(2)) },
    ]);
  }
});

test('the first table of a version is what it means: another one is passed over and mended, the same one is not', async () => {
  const { say, open, passedOver, mended } = await rig();
  const { rules } = await open();
  await say(table(2, 5), { by: 'p1' });
  await say(table(2, 5), { by: 'p2' });
  expect(passedOver).toEqual([]);
  await say(table(2, 6), { by: 'p2' });
  await say(table(1));
  expect(rules.table()).toEqual(table(2, 5));
  expect(passedOver).toEqual(['out_of_date', 'out_of_date']);
  expect(mended).toEqual([RULES_KEY, RULES_KEY]);
});

test.each<[string, string, (of: Awaited<ReturnType<typeof rig>>) => Promise<void>]>([
  ['under another key', 'misplaced', ({ say }) => say(table(2), { key: 'default/table' })],
  ['with another number than its version', 'misplaced', ({ say }) => say(table(2), { seq: 9 })],
  [
    'of no rules that this version knows',
    'not_understood',
    ({ publish }) =>
      publish(RULES_TOPIC, { key: RULES_KEY, seq: 2, body: { by: 'one', table: { ...table(2), later: true } } }),
  ],
  [
    'that nobody signed',
    'unsigned',
    ({ bus }) => bus.publish(RULES_TOPIC, [{ key: RULES_KEY, value: '{"version":2}' }]),
  ],
  [
    'signed by another service',
    'unknown_key',
    ({ bus, containment }) => {
      const value = containment.signers['security-analytics'].sign(RULES_TOPIC, RULES_KEY, 2, {
        by: 'x',
        table: table(2),
      });
      return bus.publish(RULES_TOPIC, [{ key: RULES_KEY, value }]);
    },
  ],
  ['taken away', 'removed', ({ bus }) => bus.publish(RULES_TOPIC, [{ key: RULES_KEY, value: '' }])],
])('a table %s changes nothing', async (_what, why, say) => {
  const of = await rig();
  const { rules } = await of.open();
  await of.say(table(1));
  await say(of);
  expect(rules.table()).toEqual(table(1));
  expect(of.passedOver).toEqual([why]);
});

test('a table as large as one may be is heard', async () => {
  const { say, open } = await rig();
  const tools = Object.fromEntries(
    Array.from({ length: 6_000 }, (_, i) => [`tool-${i}`, { llmTokens: 1, costMicros: 0 }]),
  );
  const large = { ...table(1), tools };
  expect(JSON.stringify(large).length).toBeGreaterThan(240_000);
  await say(large);
  expect((await open()).rules.table()).toEqual(large);
});
