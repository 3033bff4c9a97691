import { ruleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';

const windows = [{ limit: 5, windowMs: 1_000 }];
const RULE = { id: 'r', type: 'requests', per: ['principal'], windows };
const table = (more: object) => ({ version: 1, rules: [], tools: {}, otherTools: { llmTokens: 0 }, ...more });
const withRule = (rule: object) => table({ rules: [{ ...RULE, ...rule }] });
const harmless = { look: { llmTokens: 1, effects: 'none' }, write: { llmTokens: 1 } };

test('a rule refuses when its store is away unless it says otherwise, and costs are nothing', () => {
  expect(ruleTable.parse(withRule({}))).toEqual({
    version: 1,
    rules: [{ ...RULE, fail: 'closed' }],
    tools: {},
    otherTools: { llmTokens: 0, costMicros: 0 },
  });
});

test('a rule has any number of windows, and counts by any dimensions', () => {
  const per = ['tenant', 'principal', 'user', 'tool', 'chain', 'address'];
  const many = [1_000, 60_000, 86_400_000].map((windowMs) => ({ limit: 9, windowMs }));
  expect(ruleTable.safeParse(withRule({ per, windows: many, fail: 'share' })).success).toBe(true);
  const concurrency = { id: 'c', type: 'concurrency', per: ['user'], limit: 3 };
  expect(ruleTable.safeParse(table({ rules: [concurrency] })).success).toBe(true);
});

test('only a rule on tools without effects may fail open', () => {
  const open = (when: object | undefined) =>
    ruleTable.safeParse(table({ tools: harmless, rules: [{ ...RULE, fail: 'open', ...(when && { when }) }] })).success;
  expect(open({ tools: ['look'] })).toBe(true);
  expect(open({ tools: ['look', 'write'] })).toBe(false);
  expect(open({ tools: ['nonesuch'] })).toBe(false);
  expect(open({ tools: ['constructor'] })).toBe(false);
  expect(open({ otherThan: ['write'] })).toBe(false);
  expect(open(undefined)).toBe(false);
});

test.each([
  ['no version', { ...HOUSE_TABLE, version: undefined }],
  ['a negative version', table({ version: -1 })],
  ['more than there is', table({ more: 1 })],
  ['a rule with more than there is', withRule({ more: 1 })],
  ['no name', withRule({ id: '' })],
  ['a name that would run into a key', withRule({ id: 'a/b' })],
  ['a name twice', table({ rules: [RULE, RULE] })],
  ['a type that there is not', withRule({ type: 'sighs' })],
  ['no dimension', withRule({ per: [] })],
  ['a dimension that there is not', withRule({ per: ['planet'] })],
  ['a dimension twice', withRule({ per: ['user', 'user'] })],
  ['no window', withRule({ windows: [] })],
  ['too many windows', withRule({ windows: Array.from({ length: 9 }, (_, i) => ({ limit: 1, windowMs: i + 1 })) })],
  ['a window twice', withRule({ windows: [...windows, { limit: 6, windowMs: 1_000 }] })],
  ['a limit of nothing', withRule({ windows: [{ limit: 0, windowMs: 1_000 }] })],
  ['half a permit', withRule({ windows: [{ limit: 0.5, windowMs: 1_000 }] })],
  ['a limit beyond what is counted exactly', withRule({ windows: [{ limit: 1e13, windowMs: 1_000 }] })],
  ['a window of no time', withRule({ windows: [{ limit: 1, windowMs: 0 }] })],
  ['a window of a year', withRule({ windows: [{ limit: 1, windowMs: 365 * 86_400_000 }] })],
  ['a way to fail that there is not', withRule({ fail: 'loudly' })],
  ['no tools', withRule({ when: { tools: [] } })],
  ['tools and others', withRule({ when: { tools: ['a'], otherThan: ['b'] } })],
  ['arrivals by tool', withRule({ type: 'arrivals', per: ['tool'] })],
  ['arrivals of tools', withRule({ type: 'arrivals', when: { tools: ['a'] } })],
  ['arrivals that fail open', withRule({ type: 'arrivals', fail: 'open' })],
  ['concurrency in windows', withRule({ type: 'concurrency' })],
  ['a tool that costs less than nothing', table({ tools: { a: { llmTokens: -1 } } })],
  ['a tool without a name', table({ tools: { '': { llmTokens: 1 } } })],
  ['a tool with effects in words', table({ tools: { a: { llmTokens: 1, effects: 'few' } } })],
])('a table with %s is none', (_what, wrong) => {
  expect(ruleTable.safeParse(wrong).success).toBe(false);
});

test('what is wrong with a rule is said of that rule', () => {
  const { error } = ruleTable.safeParse(table({ rules: [RULE, { ...RULE, id: 's' }, RULE] }));
  expect(error?.issues).toEqual([expect.objectContaining({ path: ['rules', 2], message: 'a rule r stands above' })]);
});

test('a tool with the name of something in every object is a tool like any other', () => {
  const parsed = ruleTable.parse(
    JSON.parse('{"version":1,"rules":[],"otherTools":{"llmTokens":0},"tools":{"__proto__":{"llmTokens":5}}}'),
  );
  expect(({} as { llmTokens?: number }).llmTokens).toBeUndefined();
  expect(Object.getPrototypeOf(parsed.otherTools)).toBe(Object.prototype);
});
