import { drawsOf } from './draws.js';
import { LEASE_MS, ruleTable } from './rule-table.js';
import { HOUSE_TABLE, OTHER_TOOLS, PRINCIPAL_RULE, ruleFor, tableOf, TOOL_RULES } from './rules.js';

const MINUTE = 60_000;

/** The limits that a question touches, by rule. */
const limits = (table = HOUSE_TABLE, question: { tool?: string; share?: number; stage?: 'arrival' } = {}) =>
  drawsOf(table, { principal: 'p', ...question }).map(({ rule, limit }) => [rule, limit]);

test('the figures are pinned: changing a limit is a decision', () => {
  expect({ principal: PRINCIPAL_RULE, tools: TOOL_RULES, otherTools: OTHER_TOOLS, leaseMs: LEASE_MS }).toEqual({
    principal: { perMinute: 60, arrivalsPerMinute: 180, llmTokensPerHour: 100_000 },
    tools: {
      get_customer_info: { perMinute: 60, llmTokens: 500 },
      create_support_ticket: { perMinute: 20, llmTokens: 800 },
      calculate_account_value: { perMinute: 30, llmTokens: 1_000 },
    },
    otherTools: { perMinute: 60, llmTokens: 500 },
    leaseMs: 120_000,
  });
});

test('the table of the house is pinned, and is one that its schema takes', () => {
  const perMinute = (limit: number) => [{ limit, windowMs: MINUTE }];
  const all = { per: ['principal'], fail: 'closed' };
  const each = { type: 'tool_requests', per: ['principal', 'tool'], fail: 'closed' };
  const [ticket, value] = ['create_support_ticket', 'calculate_account_value'];
  expect(HOUSE_TABLE).toEqual({
    version: 0,
    rules: [
      { ...all, id: 'arrivals', type: 'arrivals', windows: perMinute(180) },
      { ...all, id: 'requests', type: 'requests', windows: perMinute(60) },
      { ...each, id: 'tool-requests', when: { otherThan: [ticket, value] }, windows: perMinute(60) },
      { ...each, id: 'tool-requests-20', when: { tools: [ticket] }, windows: perMinute(20) },
      { ...each, id: 'tool-requests-30', when: { tools: [value] }, windows: perMinute(30) },
      { ...all, id: 'llm-tokens', type: 'llm_tokens', windows: [{ limit: 100_000, windowMs: 60 * MINUTE }] },
    ],
    tools: {
      get_customer_info: { llmTokens: 500, costMicros: 0 },
      create_support_ticket: { llmTokens: 800, costMicros: 0 },
      calculate_account_value: { llmTokens: 1_000, costMicros: 0 },
    },
    otherTools: { llmTokens: 500, costMicros: 0 },
  });
  expect(ruleTable.parse(HOUSE_TABLE)).toEqual(HOUSE_TABLE);
});

test.each(['nonesuch', '', 'toString', '__proto__', 'constructor'])('the tool %j takes the default row', (tool) => {
  expect(ruleFor(tool)).toBe(OTHER_TOOLS);
});

test('a tool draws on the principal, on its own window and on LLM tokens; what is no tool call has no window of a tool', () => {
  expect(limits(HOUSE_TABLE, { tool: 'create_support_ticket' })).toEqual([
    ['requests', 60],
    ['tool-requests-20', 20],
    ['llm-tokens', 100_000],
  ]);
  expect(limits()).toEqual([
    ['requests', 60],
    ['llm-tokens', 100_000],
  ]);
  expect(limits(HOUSE_TABLE, { stage: 'arrival', tool: 'create_support_ticket' })).toEqual([['arrivals', 180]]);
});

test('a share is taken of every limit, rounded down, and never leaves nothing', () => {
  const shared = (share: number) =>
    limits(HOUSE_TABLE, { tool: 'create_support_ticket', share }).map(([, limit]) => limit);
  expect(shared(1)).toEqual([60, 20, 100_000]);
  expect(shared(0.5)).toEqual([30, 10, 50_000]);
  expect(shared(0.99)).toEqual([59, 19, 99_000]);
  expect(shared(1e-9)).toEqual([1, 1, 1]);
});

test('a lease ends before the LLM tokens of the house come back, so that a settlement always finds its charge', () => {
  for (const rule of HOUSE_TABLE.rules) {
    if (rule.type === 'llm_tokens') for (const { windowMs } of rule.windows) expect(LEASE_MS).toBeLessThan(windowMs);
  }
});

test('a server with tools of its own has its figures, and ours for what it leaves out', () => {
  const own = tableOf(
    new Map([
      ['add_note', { perMinute: 5, llmTokens: 100 }],
      ['drop_note', { perMinute: 5, llmTokens: 200 }],
      ['read_notes', { perMinute: 60, llmTokens: 300 }],
    ]),
    { perMinute: 30 },
  );
  expect(ruleTable.parse(own)).toEqual(own);
  expect(limits(own, { tool: 'add_note' })).toEqual([
    ['requests', 30],
    ['tool-requests-5', 5],
    ['llm-tokens', 100_000],
  ]);
  expect(limits(own, { tool: 'read_notes' })).toEqual(limits(own, { tool: 'nonesuch' }));
  expect(own.tools['drop_note']).toEqual({ llmTokens: 200, costMicros: 0 });
  expect(drawsOf(own, { principal: 'p', tool: 'drop_note' }).at(-1)).toMatchObject({ type: 'llm_tokens', cost: 200 });
});
