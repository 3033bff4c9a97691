import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { EVENT_TYPES } from '@portcullis/audit-schemas/envelope';
import { silentLog } from '@portcullis/contract/log';
import { ruleTable, type RuleTable } from '@portcullis/limits/rule-table';
import { rulesDigest, RulesInForce } from '@portcullis/limits/rules-in-force';
import { RulesOffers } from './rules-offers.js';

const table = (version: number, limit = 5): RuleTable =>
  ruleTable.parse({
    version,
    rules: [{ id: 'few', type: 'requests', per: ['principal'], windows: [{ limit, windowMs: 1_000 }] }],
    tools: {},
    otherTools: { llmTokens: 0 },
  });
const file = (of: RuleTable) => ({ text: JSON.stringify(of) });

/** A bus that hands over what was told when the test says so, to all, in one order. */
function rig() {
  const rules = new RulesInForce();
  const told: RuleTable[] = [];
  const recorded: EventDraft[] = [];
  const errors: unknown[] = [];
  const broken = { bus: false, spool: false };
  const offers = new RulesOffers({
    rules,
    effects: {},
    instance: 'me',
    tell: async (of) => {
      if (broken.bus) throw new Error('no broker');
      told.push(of);
    },
    record: async (draft) => {
      if (broken.spool) throw new Error('disk full');
      recorded.push(draft);
    },
    now: () => 1_800_000_000_000,
    log: { ...silentLog, error: (_says, facts) => void errors.push(facts?.['problems']) },
  });
  const hear = (of: RuleTable, by = 'me'): void => {
    offers.heard({ by, version: of.version, digest: rulesDigest(of) });
    rules.take(of);
  };
  return { rules, offers, told, recorded, errors, broken, hear };
}

test('a newer table is told, and in force and on record once it was heard', async () => {
  const { rules, offers, told, recorded, hear } = rig();
  await offers.offer(file(table(3)));
  expect([told, rules.version, recorded, offers.isWaiting]).toEqual([[table(3)], 0, [], true]);
  expect(offers.state()).toBe('version 0 is in force; version 3 is not heard yet');
  hear(table(3));
  expect([rules.version, offers.isWaiting, offers.state()]).toEqual([3, false, 'version 3 is in force']);
  const said = { version: 3, before: 0, sha256: rulesDigest(table(3)), count: 1 };
  expect(recorded).toEqual([
    {
      ...{ type: 'portcullis.admin.v1', tenant: 'default', at: 1_800_000_000_000 },
      data: { action: 'rules.changed', actor: 'rules-file', target: 'limit-rules/3', rules: said },
    },
  ]);
  expect(EVENT_TYPES['portcullis.admin.v1'].parse(recorded[0]!.data)).toEqual(recorded[0]!.data);
});

test('one version is on record once, however often the file is read and whoever says it again', async () => {
  const { offers, told, recorded, hear } = rig();
  await offers.offer(file(table(3)));
  hear(table(3));
  await offers.offer(file(table(3)));
  hear(table(3), 'another');
  hear(table(3));
  await offers.again();
  expect([told.length, recorded.length]).toEqual([1, 1]);
});

test('of two processes that tell the same table the one that was heard first has it on record', async () => {
  const { rules, offers, recorded, hear } = rig();
  await offers.offer(file(table(3)));
  hear(table(3), 'another');
  hear(table(3), 'me');
  expect([recorded, offers.problems, rules.version]).toEqual([[], [], 3]);
});

test('of two that tell different tables of one version, the one that was heard second says that its file is refused', async () => {
  const { rules, offers, recorded, hear } = rig();
  await offers.offer(file(table(3, 6)));
  hear(table(3, 5), 'another');
  hear(table(3, 6), 'me');
  expect(rules.table()).toEqual(table(3, 5));
  expect(recorded).toEqual([]);
  expect(offers.problems).toEqual(['version 3 is in force with other rules; give what was changed a higher version']);
});

test('what was overtaken by a newer one is refused', async () => {
  const { offers, hear } = rig();
  await offers.offer(file(table(3)));
  hear(table(4), 'another');
  expect(offers.problems).toEqual(['version 3 is older than version 4, which is in force; give it a higher one']);
});

test.each<[string, RuleTable, string]>([
  ['an older version', table(2), 'version 2 is older than version 3, which is in force; give it a higher one'],
  [
    'the same version with other rules',
    table(3, 6),
    'version 3 is in force with other rules; give what was changed a higher version',
  ],
])('%s is refused and changes nothing', async (_what, of, says) => {
  const { rules, offers, told, errors, hear } = rig();
  hear(table(3), 'another');
  await offers.offer(file(of));
  expect([rules.version, told, offers.problems, errors]).toEqual([3, [], [says], [[says]]]);
  expect(offers.state()).toBe(`version 3 is in force; the file is refused: ${says}`);
});

test('a bad file changes nothing, names every problem, and is forgotten when a good one follows', async () => {
  const { rules, offers, told, errors, hear } = rig();
  await offers.offer({ text: '{"version":1,"rules":[{"id":"x"}],"tools":{},"otherTools":{"llmTokens":0},"more":1}' });
  expect([told, rules.version]).toEqual([[], 0]);
  expect(offers.problems).toEqual([expect.stringMatching(/^rule x: type/), expect.stringContaining('"more"')]);
  expect(errors).toEqual([offers.problems]);
  expect(offers.state()).toMatch(
    /^version 0 is in force; the file is refused: rule x: type: .*, and 1 more \(see the log\)$/,
  );
  await offers.offer({ problem: 'cannot be read (ENOENT)' });
  expect(offers.problems).toEqual(['cannot be read (ENOENT)']);
  await offers.offer(file(table(1)));
  hear(table(1));
  expect([offers.problems, rules.version]).toEqual([[], 1]);
});

test('what could not be told is told later, and what could not be recorded is recorded later', async () => {
  const { rules, offers, told, recorded, broken, hear } = rig();
  Object.assign(broken, { bus: true, spool: true });
  await offers.offer(file(table(1)));
  await offers.again();
  expect([told, offers.isWaiting, rules.version]).toEqual([[], true, 0]);
  broken.bus = false;
  await offers.again();
  await offers.again();
  expect(told).toEqual([table(1)]);
  hear(table(1));
  await offers.again();
  expect(recorded).toEqual([]);
  await offers.offer(file(table(2)));
  hear(table(2));
  await offers.again();
  broken.spool = false;
  await offers.again();
  await offers.again();
  expect(recorded.map(({ data }) => (data as { target?: string }).target)).toEqual(['limit-rules/1', 'limit-rules/2']);
});
