import { MAX_RULES_BYTES, readRules } from './read-rules.js';
import { HOUSE_TABLE } from './rules.js';
import type { ToolEffects } from './tool-effects.js';

const EFFECTS: ToolEffects = { look: 'none', see: 'none', write: 'some' };
const windows = [{ limit: 5, windowMs: 1_000 }];
const RULE = { id: 'few', type: 'requests', per: ['principal'], windows };
const text = (more: object) =>
  JSON.stringify({ version: 1, rules: [], tools: {}, otherTools: { llmTokens: 0 }, ...more });
const problemsOf = (of: string): readonly string[] => {
  const read = readRules(of, EFFECTS);
  return 'problems' in read ? read.problems : [];
};

test('a table is read as its schema has it', () => {
  expect(readRules(JSON.stringify(HOUSE_TABLE), EFFECTS)).toEqual({ table: HOUSE_TABLE });
  expect(readRules(text({ rules: [RULE] }), EFFECTS)).toMatchObject({
    table: { rules: [{ id: 'few', fail: 'closed' }] },
  });
});

test('all that is wrong is said at once, by the names of the rules', () => {
  const rules = [
    { ...RULE, windows: [{ limit: 0, windowMs: 1_000 }] },
    { ...RULE, id: 'x y' },
    { ...RULE, type: 'sighs' },
  ];
  expect(problemsOf(text({ rules, more: 1 }))).toEqual([
    expect.stringMatching(/^rule few: windows\.0\.limit: Too small/),
    expect.stringMatching(/^rule x y: id: Invalid string/),
    expect.stringMatching(/^rule few: type: Invalid/),
    expect.stringMatching(/^Unrecognized key: "more"/),
  ]);
});

test.each<[string, string, string | RegExp]>([
  ['nothing', '', 'is no JSON'],
  ['no JSON', '{"version": 1,\n  rules: []}', 'is no JSON at line 2 column 3'],
  ['JSON of something else', '[]', /expected object, received array/],
  ['null', 'null', /expected object, received null/],
])('%s is no table', (_what, of, says) => {
  expect(problemsOf(of)).toEqual([expect.stringMatching(says)]);
});

describe('failing open', () => {
  const tools = { look: { llmTokens: 1, effects: 'none' }, write: { llmTokens: 1, effects: 'none' } };
  const open = (names: string[], more: object = {}) =>
    text({ tools: { ...tools, ...more }, rules: [{ ...RULE, fail: 'open', when: { tools: names } }] });

  test('is for tools that have no effects by their definition', () => {
    expect(problemsOf(open(['look']))).toEqual([]);
  });

  test('a tool that has some is named with the rule, whatever the table says of it', () => {
    expect(problemsOf(open(['look', 'write']))).toEqual(['rule few fails open for write, which has effects']);
  });

  test('so is a tool that nobody knows', () => {
    const more = { constructor: { llmTokens: 1, effects: 'none' } };
    expect(problemsOf(open(['constructor'], more))).toEqual([
      'rule few fails open for constructor, a tool that nobody knows',
    ]);
  });

  test('a tool of which the table does not say it is refused by the table', () => {
    expect(problemsOf(open(['see']))).toEqual(['rule few: fails open for a tool that has effects']);
  });
});

test('a table that would be too large to be told is refused', () => {
  const tools = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`t${i}`, { llmTokens: 1 }]));
  const of = text({ tools });
  expect(of.length).toBeLessThan(MAX_RULES_BYTES);
  expect(problemsOf(of)).toEqual(['is larger than 256 KiB']);
});

test('of very many problems the first are named, and how many more there are', () => {
  const problems = problemsOf(text({ rules: Array.from({ length: 90 }, () => ({ ...RULE, id: '' })) }));
  expect(problems).toHaveLength(51);
  expect(problems.at(-1)).toMatch(/^and \d+ more$/);
});
