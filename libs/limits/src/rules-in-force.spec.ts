import { ruleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';
import { rulesDigest, RulesInForce } from './rules-in-force.js';

const table = (version: number, limit = 5, more: object = {}) =>
  ruleTable.parse({
    version,
    rules: [{ id: 'few', type: 'requests', per: ['principal'], windows: [{ limit, windowMs: 1_000 }], ...more }],
    tools: { look: { llmTokens: 1, effects: 'none' }, write: { llmTokens: 2 } },
    otherTools: { llmTokens: 0 },
  });

test('until another is heard the table of the house is in force', () => {
  const rules = new RulesInForce();
  expect([rules.table(), rules.version]).toEqual([HOUSE_TABLE, 0]);
  expect(rules.table()).toBe(HOUSE_TABLE);
});

test('a newer table takes over, and one that is older or of the same version does not', () => {
  const rules = new RulesInForce();
  const third = table(3);
  expect(rules.take(third)).toBe('newer');
  expect(rules.take(table(2))).toBe('older');
  expect(rules.take(table(3))).toBe('same');
  expect(rules.take(table(3, 6))).toBe('differs');
  // the very object, by which limiters know what they worked out for it
  expect(rules.table()).toBe(third);
  expect(rules.take(table(4, 6))).toBe('newer');
  expect(rules.table()).toEqual(table(4, 6));
});

test('a digest is of what a table says, however it is written', () => {
  const { rules, version, otherTools, tools } = table(3);
  const { look, write } = tools;
  const turned = ruleTable.parse({ otherTools, tools: { write, look }, rules, version });
  expect(rulesDigest(turned)).toBe(rulesDigest(table(3)));
  for (const other of [table(4), table(3, 6), table(3, 5, { fail: 'share' })])
    expect(rulesDigest(other)).not.toBe(rulesDigest(table(3)));
  expect(rulesDigest(table(3))).toMatch(/^[0-9a-f]{64}$/);
});

test('a rule that would fail open for a tool that has effects by now fails closed, whatever its table says of the tool', () => {
  const open = (tools: string[]) => table(1, 5, { fail: 'open', when: { tools } });
  const failOf = (tools: string[], effects: Record<string, 'none' | 'some'>) =>
    new RulesInForce(open(tools), effects).table().rules[0]!.fail;
  expect(failOf(['look'], { look: 'none' })).toBe('open');
  expect(failOf(['look'], { look: 'some' })).toBe('closed');
  expect(failOf(['look'], {})).toBe('closed');
  const rules = new RulesInForce(HOUSE_TABLE, {});
  expect(rules.take(open(['look']))).toBe('newer');
  expect([rules.table().rules[0]!.fail, rules.said.rules[0]!.fail]).toEqual(['closed', 'open']);
  expect(rules.take(open(['look']))).toBe('same');
});
