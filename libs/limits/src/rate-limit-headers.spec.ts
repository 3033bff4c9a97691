import { describe, expect, test } from '@jest/globals';
import type { LimitVerdict } from '@portcullis/contract/limits';
import { memoryLimiter } from './limiter.memory.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { ruleTable, type RuleTable } from './rule-table.js';

const START = 1_700_000_012_345;
const NAMED = { rule: 'requests', rulesVersion: 3 };
const refused = { allowed: false, ...NAMED } as const;

describe('the fields of a verdict', () => {
  test.each<[string, LimitVerdict, string, string]>([
    [
      'an answer that is allowed says what is left, and of which window',
      { allowed: true, lease: 'x', remaining: 59, limit: 60, windowMs: 60_000, resetMs: 60_000, ...NAMED },
      '"requests";r=59;t=60',
      '"requests";q=60;w=60',
    ],
    [
      'a refusal says how long to wait, rounded up',
      { ...refused, limitType: 'requests', limit: 60, remaining: 0, retryAfterMs: 1_001, resetMs: 9, windowMs: 60_000 },
      '"requests";r=0;t=2',
      '"requests";q=60;w=60',
    ],
    [
      'tokens are counted in a unit of their own',
      { ...refused, limitType: 'llm_tokens', limit: 9, remaining: 4, retryAfterMs: 5_000, windowMs: 3_600_000 },
      '"requests";r=4;t=5',
      '"requests";q=9;qu="portcullis-llm-tokens";w=3600',
    ],
    [
      'so is cost',
      { ...refused, limitType: 'cost', limit: 9, remaining: 0, retryAfterMs: 5_000, windowMs: 86_400_000 },
      '"requests";r=0;t=5',
      '"requests";q=9;qu="portcullis-cost-micros";w=86400',
    ],
    [
      'what is open at a time has no window',
      { ...refused, limitType: 'concurrency', limit: 2, remaining: 0, retryAfterMs: 5_000, windowMs: 120_000 },
      '"requests";r=0',
      '"requests";q=2;qu="concurrent-requests"',
    ],
    [
      'a window below a second is one second, since there is none shorter',
      { allowed: true, lease: 'x', remaining: 1, limit: 2, windowMs: 10, resetMs: 10, ...NAMED },
      '"requests";r=1;t=1',
      '"requests";q=2;w=1',
    ],
  ])('%s', (_what, verdict, limit, policy) => {
    expect(rateLimitHeaders(verdict)).toEqual({ RateLimit: limit, 'RateLimit-Policy': policy });
  });

  test('a verdict that names no rule has none', () => {
    expect(rateLimitHeaders({ remaining: 0 })).toEqual({});
  });
});

test('of a rule with two windows the tightest is told, and the longest wait of a refusal', () => {
  const clock = { at: START };
  const limiter = memoryLimiter({
    now: () => clock.at,
    random: (size) => new Uint8Array(size),
    table: () => twoWindows,
  });
  const ask = () => rateLimitHeaders(limiter.decide({ principal: 'agt_one' }));
  expect(ask()).toEqual({ RateLimit: '"pace";r=1;t=1', 'RateLimit-Policy': '"pace";q=2;w=1' });
  clock.at += 1_000;
  ask();
  ask();
  expect(ask()).toEqual({ RateLimit: '"pace";r=0;t=59', 'RateLimit-Policy': '"pace";q=3;w=60' });
});

const twoWindows: RuleTable = ruleTable.parse({
  version: 1,
  rules: [
    {
      ...{ id: 'pace', type: 'requests', per: ['principal'] },
      windows: [
        { limit: 2, windowMs: 1_000 },
        { limit: 3, windowMs: 60_000 },
      ],
    },
  ],
  tools: {},
  otherTools: { llmTokens: 0 },
});
