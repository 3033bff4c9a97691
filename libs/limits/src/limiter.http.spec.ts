import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { LimitQuestion } from '@portcullis/contract/limits';
import { Secret } from '@portcullis/contract/secret';
import { AwayMemory } from './away.memory.js';
import { httpLimiter, type HttpLimiterParts } from './limiter.http.js';
import { LEASE_MS } from './rule-table.js';
import { HOUSE_TABLE, tableOf } from './rules.js';

const LEASE = 'A'.repeat(22);
const YES = { allowed: true, lease: LEASE, remaining: 59, limit: 60, resetMs: 60_000, rule: 'requests' };
const NO = { allowed: false, limitType: 'requests', limit: 60, remaining: 0, retryAfterMs: 1_000 };
const QUESTION = { tenant: 'acme', principal: 'agt_one' };
const overloaded = { code: 'overloaded', facts: { retryAfterMs: expect.any(Number) } };
const failing = (fail: 'share' | 'open') => {
  const { rules, ...table } = tableOf(new Map());
  return { ...table, rules: rules.map((rule) => ({ ...rule, fail })) };
};

type Answer = { status?: number; body?: unknown } | Error;
const networkError = (): Error => Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });

/** A limiter whose rate limiter says what the test says. */
function started(more: Partial<HttpLimiterParts> = {}) {
  const clock = { at: 1_000 };
  const posted: { url: string; body: unknown; token: string; timeoutMs: number; maxBytes: number }[] = [];
  const heard: unknown[] = [];
  const state: { answer: (n: number) => Answer | Promise<Answer>; issued: number } = {
    answer: () => ({ body: YES }),
    issued: 1,
  };
  const tokens = new Map<number, Secret>();
  const present = (): Secret => {
    if (!tokens.has(state.issued)) tokens.set(state.issued, new Secret(`token-${state.issued}`));
    return tokens.get(state.issued)!;
  };
  const limiter = httpLimiter({
    url: 'https://limits.example',
    async post(url, { headers, body, timeoutMs, maxBytes }) {
      posted.push({ url, body: JSON.parse(body), token: headers['authorization'] ?? '', timeoutMs, maxBytes });
      const answer = await state.answer(posted.length);
      if (answer instanceof Error) throw answer;
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      return new Response(text, { status: answer.status ?? 200 });
    },
    tokens: {
      token: present,
      refused: (token) => {
        if (token === present()) state.issued += 1;
        return true;
      },
    },
    now: () => clock.at,
    random: randomBytes,
    away: new AwayMemory(2, 1_000),
    onAway: (error) => void heard.push(error),
    ...more,
  });
  const ask = (question: Partial<LimitQuestion> = {}) => limiter.decide({ ...QUESTION, ...question });
  return { limiter, ask, clock, posted, heard, state };
}

describe('what is asked', () => {
  test('a question goes as it is, in its tenant, with our own token, within a deadline', async () => {
    const { ask, posted } = started();
    const question = { tool: 't', user: 'usr_1', chain: ['a'], address: '192.0.2.1', llmTokens: 5, share: 0.5 };
    expect(await ask(question)).toEqual(YES);
    expect(posted).toEqual([
      {
        url: 'https://limits.example/v1/decide',
        body: { ...QUESTION, ...question },
        token: 'Bearer token-1',
        timeoutMs: 250,
        maxBytes: 16 * 1024,
      },
    ]);
  });

  test('a tenant that is not named is the default one', async () => {
    const { limiter, posted } = started();
    await limiter.decide({ principal: 'agt_one' });
    expect(posted[0]?.body).toEqual({ tenant: 'default', principal: 'agt_one' });
  });

  test('a lease is settled and released in its tenant, and cost goes along where it is named', async () => {
    const { limiter, posted, state } = started();
    state.answer = (n) => ({ body: n < 3 ? { settled: true } : { released: true } });
    expect(await limiter.settle('acme', LEASE, 7)).toBe(true);
    expect(await limiter.settle('acme', LEASE, 7, 8)).toBe(true);
    expect(await limiter.release('acme', LEASE)).toBe(true);
    expect(posted.map(({ url, body }) => [url.replace(/.*\//, ''), body])).toEqual([
      ['settle', { tenant: 'acme', lease: LEASE, llmTokens: 7 }],
      ['settle', { tenant: 'acme', lease: LEASE, llmTokens: 7, costMicros: 8 }],
      ['release', { tenant: 'acme', lease: LEASE }],
    ]);
  });

  test('nobody is asked about what cannot be a lease, nor what is a mistake', async () => {
    const { limiter, ask, posted } = started();
    for (const lease of ['', 'x', `${LEASE}A`, '../decide']) expect(await limiter.release('acme', lease)).toBe(false);
    await expect(ask({ share: 0 })).rejects.toThrow(RangeError);
    await expect(ask({ llmTokens: -1 })).rejects.toThrow(RangeError);
    await expect(limiter.settle('acme', LEASE, 0.5)).rejects.toThrow(RangeError);
    await expect(limiter.decide(QUESTION, 'gateway')).rejects.toThrow(RangeError);
    expect(posted).toEqual([]);
  });

  test('what the rate limiter takes for a mistake is one, and does not count as being away', async () => {
    const { ask, state, heard } = started();
    state.answer = () => ({ status: 400, body: { error: 'input_invalid' } });
    await expect(ask({ principal: 'x'.repeat(201) })).rejects.toThrow(RangeError);
    state.answer = () => ({ body: YES });
    expect(await ask()).toEqual(YES);
    expect(heard).toEqual([]);
  });
});

describe('an answer that cannot be', () => {
  test.each<[string, Answer]>([
    ['no JSON', { body: '<html>' }],
    ['nothing', { body: '' }],
    ['no verdict', { body: {} }],
    ['a list', { body: [YES] }],
    ['a word', { body: { ...YES, allowed: 'true' } }],
    ['a yes without a lease', { body: { ...YES, lease: '' } }],
    ['a yes with another lease', { body: { ...YES, lease: `${LEASE}\n` } }],
    ['a yes with less than nothing left', { body: { ...YES, remaining: -1 } }],
    ['a no without a wait', { body: { ...NO, retryAfterMs: 0 } }],
    ['a no for ever', { body: { ...NO, retryAfterMs: 1e15 } }],
    ['a no of an unknown limit', { body: { ...NO, limitType: 'mood' } }],
    ['a redirect', { status: 302, body: YES }],
    ['a yes that was made', { status: 201, body: YES }],
    ['a refusal', { status: 403, body: { error: 'tenant_forbidden' } }],
    ['that it cannot decide', { status: 503, body: { error: 'overloaded' } }],
    ['too much', Object.assign(new Error('the answer is larger than 16384 bytes'), { name: 'Error' })],
  ])('%s is overloaded, whatever the rules say of one that is away', async (_what, answer) => {
    for (const table of [HOUSE_TABLE, failing('share'), failing('open')]) {
      const { limiter, ask, state, heard } = started({ table: () => table });
      state.answer = () => answer;
      for (let i = 0; i < 2; i++) await expect(ask()).rejects.toMatchObject(overloaded);
      await expect(limiter.settle('acme', LEASE, 0)).rejects.toMatchObject(overloaded);
      expect(heard).toHaveLength(1);
      expect(inspect(heard, { depth: 10 })).not.toContain('token-1');
    }
  });

  test('an arrival has no lease, so an answer with one is none', async () => {
    const { ask, state } = started();
    await expect(ask({ stage: 'arrival' })).rejects.toMatchObject(overloaded);
    state.answer = () => ({ body: { ...YES, lease: '' } });
    expect(await ask({ stage: 'arrival' })).toMatchObject({ allowed: true, lease: '' });
  });

  test('what a newer one says besides is left out', async () => {
    const { ask, state } = started();
    state.answer = () => ({ body: { ...NO, impossible: true, mood: 'bad' } });
    expect(await ask()).toEqual({ ...NO, impossible: true });
  });
});

describe('a token that is not taken', () => {
  const takesOnly = (token: string, posted: readonly { token: string }[]) => (): Answer =>
    posted.at(-1)?.token === `Bearer ${token}` ? { body: YES } : { status: 401, body: {} };

  test('is replaced, and asked with once more', async () => {
    const { ask, posted, state } = started();
    state.answer = takesOnly('token-2', posted);
    expect(await ask()).toEqual(YES);
    expect(posted.map(({ token }) => token)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  test('is replaced once, and then the question is refused', async () => {
    const { ask, posted, state } = started();
    state.answer = takesOnly('token-9', posted);
    await expect(ask()).rejects.toMatchObject(overloaded);
    expect(posted).toHaveLength(2);
  });

  test.each([401, 429])('(%d) keeps this service out for a moment, in which it asks nothing', async (status) => {
    const tokens = { token: () => new Secret('only'), refused: () => false };
    const { ask, clock, posted, state, heard } = started({ tokens, table: () => failing('open') });
    state.answer = () => ({ status, body: {} });
    for (let i = 0; i < 5; i++) await expect(ask()).rejects.toMatchObject(overloaded);
    expect(posted).toHaveLength(1);
    state.answer = () => ({ body: YES });
    clock.at += 199;
    await expect(ask()).rejects.toMatchObject(overloaded);
    clock.at += 1;
    expect(await ask()).toEqual(YES);
    expect(heard).toHaveLength(1);
  });

  test('is not tried again where there is no other', async () => {
    const { ask, posted, state } = started({ tokens: { token: () => new Secret('only'), refused: () => false } });
    state.answer = () => ({ status: 401, body: {} });
    await expect(ask()).rejects.toMatchObject(overloaded);
    expect(posted).toHaveLength(1);
  });
});

describe('a rate limiter that is away', () => {
  const AWAY: readonly [string, Answer][] = [
    ['nobody there', networkError()],
    ['no answer in time', Object.assign(new Error('late'), { name: 'TimeoutError' })],
    ['a failure', { status: 500, body: { error: 'internal' } }],
    ['a gateway without it', { status: 502, body: '<html>' }],
    ['one that is starting', { status: 503, body: { error: 'starting' } }],
  ];

  test.each(AWAY)('(%s) refuses by rules that fail closed, which is the default', async (_what, answer) => {
    const { limiter, ask, state, heard } = started();
    state.answer = () => answer;
    await expect(ask()).rejects.toMatchObject(overloaded);
    await expect(limiter.settle('acme', LEASE, 0)).rejects.toMatchObject(overloaded);
    await expect(limiter.release('acme', LEASE)).rejects.toMatchObject(overloaded);
    expect(heard).toHaveLength(1);
  });

  test.each(AWAY)('(%s) leaves this process its share, where the rules say so', async (_what, answer) => {
    const { limiter, ask, state } = started({ table: () => failing('share') });
    state.answer = () => answer;
    const first = await ask({ llmTokens: 50_000 });
    expect(first).toMatchObject({ allowed: true, remaining: 29, limit: 30 });
    expect(await ask({ llmTokens: 1 })).toMatchObject({ allowed: false, limitType: 'llm_tokens', limit: 50_000 });
    // settled here, where it was taken
    expect(await limiter.settle('acme', first.allowed ? first.lease : '', 100)).toBe(true);
    expect(await ask({ llmTokens: 1 })).toMatchObject({ allowed: true });
    for (let i = 0; i < 28; i++) expect(await ask()).toMatchObject({ allowed: true });
    expect(await ask()).toMatchObject({ allowed: false, limitType: 'requests', limit: 30 });
    expect(await ask({ principal: 'agt_two' })).toMatchObject({ allowed: true });
    expect(await ask({ tenant: 'other' })).toMatchObject({ allowed: true });
  });

  test('is left alone for a moment, and then asked by one question only', async () => {
    const { ask, clock, posted, state, heard } = started();
    state.answer = () => networkError();
    for (let i = 0; i < 5; i++) await expect(ask()).rejects.toMatchObject(overloaded);
    expect(posted).toHaveLength(1);
    clock.at += 200;
    let answered = (_answer: Answer): void => undefined;
    state.answer = () => new Promise((resolve) => (answered = resolve));
    const probe = ask();
    for (let i = 0; i < 5; i++) await expect(ask()).rejects.toMatchObject(overloaded);
    answered({ body: YES });
    expect(await probe).toEqual(YES);
    expect(posted).toHaveLength(2);
    state.answer = () => ({ body: YES });
    expect(await ask()).toEqual(YES);
    expect(heard).toHaveLength(1);
    state.answer = () => networkError();
    await expect(ask()).rejects.toMatchObject(overloaded);
    expect(heard).toHaveLength(2);
  });

  test('what was counted meanwhile is counted on when it goes again', async () => {
    const { ask, clock, state } = started({ table: () => failing('share') });
    state.answer = () => networkError();
    for (let i = 0; i < 30; i++) await ask();
    clock.at += 200;
    state.answer = () => ({ body: YES });
    await ask();
    state.answer = () => networkError();
    expect(await ask()).toMatchObject({ allowed: false });
  });

  test('a lease that it gave is not settled here, and one of here not there', async () => {
    const { limiter, ask, clock, posted, state } = started({ table: () => failing('share') });
    state.answer = () => networkError();
    const own = await ask();
    clock.at += LEASE_MS;
    state.answer = () => ({ body: { settled: false } });
    expect(await limiter.settle('acme', own.allowed ? own.lease : '', 0)).toBe(false);
    expect(posted.at(-1)?.url).toMatch(/settle$/);
  });
});

describe('a token that cannot be had', () => {
  test('is a rate limiter that is away', async () => {
    const token = () => Promise.reject(new Error('401 invalid_client'));
    const { ask, posted, heard } = started({ tokens: { token, refused: () => true } });
    for (let i = 0; i < 3; i++) await expect(ask()).rejects.toMatchObject(overloaded);
    expect(posted).toEqual([]);
    expect(heard).toEqual([expect.objectContaining({ message: '401 invalid_client' })]);
  });

  test('in time is one too: a question does not wait longer than its deadline', async () => {
    const tokens = { token: () => new Promise<Secret>(() => {}), refused: () => true };
    const { ask, heard } = started({ tokens, deadlineMs: 5 });
    await expect(ask()).rejects.toMatchObject(overloaded);
    expect(heard).toEqual([expect.objectContaining({ message: expect.stringMatching(/in time/) })]);
  });
});

test('a closed limiter asks nobody', async () => {
  const { limiter, ask, posted } = started();
  await limiter.close();
  await expect(ask()).rejects.toMatchObject(overloaded);
  await expect(limiter.settle('acme', LEASE, 0)).rejects.toMatchObject(overloaded);
  expect(posted).toEqual([]);
});
