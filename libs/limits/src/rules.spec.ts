import { LEASE_MS, OTHER_TOOLS, PRINCIPAL_RULE, TOOL_RULES, limitsFor, limitsOf, ruleFor } from './rules.js';

test('the table is pinned: changing a limit is a decision', () => {
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

test.each(['nonesuch', '', 'toString', '__proto__', 'constructor'])('the tool %j takes the default row', (tool) => {
  expect(ruleFor(tool)).toBe(OTHER_TOOLS);
});

test('a share is taken of every limit, rounded down, and never leaves nothing', () => {
  const limits = (share: number) => {
    const { requests, tool, budget } = limitsFor('create_support_ticket', share);
    return [requests.limit, tool?.limit, budget.limit];
  };
  expect(limits(1)).toEqual([60, 20, 100_000]);
  expect(limits(0.5)).toEqual([30, 10, 50_000]);
  expect(limits(0.99)).toEqual([59, 19, 99_000]);
  expect(limits(1e-9)).toEqual([1, 1, 1]);
});

test('a request that is no tool call has no tool limit', () => {
  expect(limitsFor(undefined, 1).tool).toBeUndefined();
});

test.each([0, -0.5, 1.01, NaN, Infinity])('a share of %d is a mistake', (share) => {
  expect(() => limitsFor(undefined, share)).toThrow(RangeError);
});

test('a lease ends before what it reserved does, so that a settlement always finds its charge', () => {
  expect(LEASE_MS).toBeLessThan(limitsFor(undefined, 1).budget.windowMs);
});

test('a server with tools of its own has its figures, and ours for what it leaves out', () => {
  const own = limitsOf((tool) => (tool === 'add_note' ? { perMinute: 5, llmTokens: 100 } : undefined), {
    perMinute: 30,
  });
  expect(own('add_note', 1)).toEqual({
    ...limitsFor('x', 1),
    requests: { limit: 30, windowMs: 60_000 },
    tool: { limit: 5, windowMs: 60_000 },
  });
  expect(own('add_note', 0.5)).toMatchObject({ requests: { limit: 15 }, tool: { limit: 2 } });
  expect(own('read_notes', 1).tool).toEqual(limitsFor('read_notes', 1).tool);
  expect(own(undefined, 1).tool).toBeUndefined();
});
