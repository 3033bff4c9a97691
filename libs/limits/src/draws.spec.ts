import * as fc from 'fast-check';
import { drawsOf, makePlan, planOf } from './draws.js';
import { LEASE_MS, ruleTable, type Dimension } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';
import { SLOTS } from './window.js';

const table = (...rules: object[]) =>
  ruleTable.parse({
    version: 1,
    rules,
    tools: { costly: { llmTokens: 7, costMicros: 9 } },
    otherTools: { llmTokens: 1 },
  });
const rule = (type: string, limit: number, windowMs: number, more: object = {}) => ({
  ...{ id: 'r', type, per: ['principal'], windows: [{ limit, windowMs }] },
  ...more,
});
const HOUR = 3_600_000;

test('a question draws on the counts of the house', () => {
  expect(drawsOf(HOUSE_TABLE, { principal: 'agt_1', tool: 'create_support_ticket', llmTokens: 12 })).toEqual([
    {
      ...{ rule: 'requests', type: 'requests', key: 'requests/60000/agt_1', limit: 60, windowMs: 60_000, slotMs: 1 },
      ...{ cost: 1, until: 'window', fail: 'closed' },
    },
    {
      ...{ rule: 'tool-requests-20', type: 'tool_requests', limit: 20, windowMs: 60_000, slotMs: 1 },
      ...{ key: 'tool-requests-20/60000/5:agt_1/create_support_ticket', cost: 1, until: 'window', fail: 'closed' },
    },
    {
      ...{ rule: 'llm-tokens', type: 'llm_tokens', key: 'llm-tokens/3600000/agt_1', limit: 100_000, windowMs: HOUR },
      ...{ slotMs: 15_000, cost: 12, until: 'window', fail: 'closed' },
    },
  ]);
});

test.each([
  ['few requests keep a millisecond each', 'requests', SLOTS, 60_000, 1],
  ['many requests share slots', 'requests', SLOTS + 1, 60_000, 250],
  ['LLM tokens share slots, however few', 'llm_tokens', 5, HOUR, 15_000],
  ['so does cost', 'cost', 5, 24 * HOUR, 360_000],
  ['a slot is a whole number of milliseconds', 'cost', 5, 1_000, 5],
  ['and never none', 'llm_tokens', 5, 10, 1],
])('%s', (_what, type, limit, windowMs, slotMs) => {
  expect(drawsOf(table(rule(type, limit, windowMs)), { principal: 'p' })).toMatchObject([{ slotMs }]);
});

test('a window never has more than one slot above the stated number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 31 * 24 * HOUR }), (windowMs) => {
      const [draw] = drawsOf(table(rule('llm_tokens', 1e6, windowMs)), { principal: 'p' });
      expect(Math.ceil(windowMs / draw!.slotMs)).toBeLessThanOrEqual(SLOTS);
    }),
  );
});

test('concurrency is counted until the lease ends', () => {
  const concurrency = { id: 'c', type: 'concurrency', per: ['user'], limit: 3, fail: 'share' };
  expect(drawsOf(table(concurrency), { principal: 'p', user: 'u' })).toMatchObject([
    { type: 'concurrency', limit: 3, windowMs: LEASE_MS, cost: 1, until: 'lease', fail: 'share' },
  ]);
});

test.each([
  [{ tool: 'costly' }, 7, 9],
  [{ tool: 'costly', llmTokens: 0, costMicros: 0 }, 0, 0],
  [{ tool: 'other' }, 1, 0],
  [{ tool: 'constructor' }, 1, 0],
  [{}, 0, 0],
])('%j reserves %d LLM tokens and %d millionths', (question, llmTokens, costMicros) => {
  const draws = drawsOf(table(rule('llm_tokens', 99, HOUR), rule('cost', 99, HOUR, { id: 's' })), {
    principal: 'p',
    ...question,
  });
  expect(draws.map(({ cost }) => cost)).toEqual([llmTokens, costMicros]);
});

test.each([0, -0.5, 1.01, NaN, Infinity])('a share of %d is a mistake', (share) => {
  expect(() => drawsOf(HOUSE_TABLE, { principal: 'p', share })).toThrow(RangeError);
});

test('no two lists of names have one key', () => {
  const per: Dimension[] = ['principal', 'user', 'tool', 'address', 'chain'];
  const one = table(rule('requests', 9, 60_000, { per }));
  const name = fc.string({ unit: fc.constantFrom('a', '/', ':', '1', '2'), minLength: 1, maxLength: 6 });
  const names = fc.record({
    ...{ principal: name, user: name, tool: name, address: name },
    chain: fc.array(name, { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(names, names, (a, b) => {
      const [keyA, keyB] = [a, b].map((each) => drawsOf(one, each)[0]!.key);
      expect(keyA === keyB).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 2_000 },
  );
});

test('a plan says what its table counts by, so that the rest of a question need not be looked at', () => {
  expect([...planOf(HOUSE_TABLE).by]).toEqual(['principal', 'tool']);
  expect([...planOf(table(rule('requests', 9, HOUR, { per: ['user', 'address'] }))).by]).toEqual(['user', 'address']);
});

test('where keys leave the process, people are called by another name in them, and agents and tools by their own', () => {
  const per: Dimension[] = ['principal', 'user', 'tool', 'address', 'chain'];
  const plan = makePlan(table(rule('requests', 9, 60_000, { per })), (...called) => `<${called.flat().join(' ')}>`);
  const question = {
    tenant: 'acme',
    principal: 'agt_1',
    user: 'ada',
    tool: 't',
    address: '192.0.2.1',
    chain: ['a', 'b'],
  };
  expect(plan(question)[0]!.key).toBe(
    'r/60000/5:agt_1/15:<acme user ada>/1:t/24:<acme address 192.0.2.1>/<acme chain a b>',
  );
  expect(plan({ principal: 'agt_1' })).toEqual([]);
});
