import { Refusal, type RefusalFacts } from '@portcullis/contract/refusals';
import * as fc from 'fast-check';
import { openRecord } from './record.js';
import { dressed } from './dressed.js';
import { refusalAnswer } from './answer.js';
import type { Inbound } from './inbound.js';

const TO = { id: 1, era: 'modern', correlationId: 'c1' } as const;
const CHALLENGE = { resourceMetadata: 'https://gate.example/metadata', scopes: [] };
const answerTo = (facts: RefusalFacts, random?: () => number, code: 'rate_limited' | 'overloaded' = 'rate_limited') => {
  const { headers, body } = refusalAnswer(new Refusal(code, facts), TO, CHALLENGE, random);
  return { seconds: Number(headers['Retry-After']), ms: JSON.parse(body!).error.data.retryAfterMs };
};

test('whoever is sent away is told to wait up to a tenth longer, and never less than it takes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 86_400_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (retryAfterMs, by) => {
        const { seconds, ms } = answerTo({ retryAfterMs }, () => by);
        expect(Number.isInteger(seconds) && Number.isInteger(ms)).toBe(true);
        expect(seconds * 1000).toBeGreaterThanOrEqual(retryAfterMs);
        expect(seconds).toBeLessThanOrEqual(Math.ceil((retryAfterMs * 1.1) / 1000));
        expect(ms).toBeGreaterThanOrEqual(retryAfterMs);
        expect(ms).toBeLessThanOrEqual(Math.ceil(retryAfterMs * 1.1));
      },
    ),
  );
});

test('callers refused at one time come back at many', () => {
  const of = (retryAfterMs: number) =>
    new Set(Array.from({ length: 100 }, (_, i) => answerTo({ retryAfterMs }, () => i / 100).seconds));
  expect([...of(60_000)]).toEqual([60, 61, 62, 63, 64, 65]);
  // of one second nothing is left to spread, and it is not made two
  expect([...of(1_000)]).toEqual([1]);
});

test('without a source of randomness the wait is told as it is', () => {
  expect(answerTo({ retryAfterMs: 59_001 })).toEqual({ seconds: 60, ms: 59_001 });
});

test('our own fault is over in a second, which only the header says', () => {
  expect(answerTo({}, () => 0.9, 'overloaded')).toEqual({ seconds: 1, ms: undefined });
});

describe('an answer says how the limit stands', () => {
  const inbound = {
    correlationId: 'c1',
    at: 0,
    address: '192.0.2.1',
    client: {},
    origin: undefined,
  } as unknown as Inbound;
  const anywhere = { hostAllowed: () => true, originAllowed: () => true };
  const answer = { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const limited = { limit: 60, windowMs: 60_000, rule: 'requests', rulesVersion: 1 };

  test('that was asked, whether it let the call through or not', () => {
    const record = openRecord(inbound);
    record.verdict = { allowed: true, lease: 'l', remaining: 59, resetMs: 60_000, ...limited };
    expect(dressed(answer, { record, inbound }, anywhere).headers).toEqual({
      'Content-Type': 'application/json',
      RateLimit: '"requests";r=59;t=60',
      'RateLimit-Policy': '"requests";q=60;w=60',
    });
    record.verdict = {
      allowed: false,
      limitType: 'requests',
      remaining: 0,
      retryAfterMs: 12_001,
      resetMs: 50_000,
      ...limited,
    };
    expect(dressed(answer, { record, inbound }, anywhere).headers).toMatchObject({ RateLimit: '"requests";r=0;t=13' });
  });

  test('and nothing where none was asked', () => {
    const record = openRecord(inbound);
    expect(dressed(answer, { record, inbound }, anywhere)).toBe(answer);
    record.verdict = { allowed: true, lease: 'l', remaining: 0, rulesVersion: 1 };
    expect(dressed(answer, { record, inbound }, anywhere)).toEqual(answer);
  });
});
