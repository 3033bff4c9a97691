import { Refusal } from '@portcullis/contract/refusals';
import type { JWTPayload } from 'jose';
import { KeysUnavailable } from './jwks.http.js';
import { memoryTokenCache, TOKENS_KEPT } from './token-cache.memory.js';
import { athOf, countingIssuer, type CountingIssuer } from './token.fixture.js';

const START = 1_800_000_000_000;
const MINUTE = 60_000;
let issuer: CountingIssuer;
beforeEach(async () => {
  issuer = await countingIssuer(START);
});
const cacheOf = (more: object = {}, kept?: number) => memoryTokenCache({ ...issuer.rules, ...more }, kept);
/** Has a token verified, and says how it is known from then on. */
async function verified(cache: ReturnType<typeof cacheOf>, claims: JWTPayload = {}): Promise<string> {
  const token = await issuer.token(claims);
  await cache.verify(token, athOf(token));
  return athOf(token);
}

test('a token is verified once, and then known at once as the same frozen caller', async () => {
  const cache = cacheOf();
  const token = await issuer.token();
  const ath = athOf(token);
  expect(cache.known(ath)).toBeUndefined();
  const caller = await cache.verify(token, ath);
  expect(caller).toMatchObject({ clientId: 'client-1', tokenId: 'jti-1' });
  expect(Object.isFrozen(caller)).toBe(true);
  expect([cache.known(ath) === caller, cache.known(ath) === caller, issuer.verified()]).toEqual([true, true, 1]);
  expect(cache.known(athOf(`${token}x`))).toBeUndefined();
});

test('all who ask for the same token at once share one verification', async () => {
  const cache = cacheOf();
  const token = await issuer.token();
  const all = await Promise.all(Array.from({ length: 50 }, () => cache.verify(token, athOf(token))));
  expect([new Set(all).size, issuer.verified()]).toEqual([1, 1]);
});

test('a bad token is not remembered: it is refused by verifying it, each time', async () => {
  const cache = cacheOf();
  const token = await issuer.token({ aud: 'https://other.example' });
  const ath = athOf(token);
  const refused = () => cache.verify(token, ath).catch((error: Refusal) => error.code);
  expect(await Promise.all([refused(), refused()])).toEqual(['token_invalid', 'token_invalid']);
  expect([issuer.verified(), cache.known(ath)]).toEqual([1, undefined]);
  expect([await refused(), issuer.verified()]).toEqual(['token_invalid', 2]);
});

test('a token that could not be judged is not remembered either', async () => {
  let away = true;
  const cache = cacheOf({
    keys: (header: object, token: never) =>
      away ? Promise.reject(new KeysUnavailable()) : issuer.rules.keys(header as never, token),
  });
  const token = await issuer.token();
  await expect(cache.verify(token, athOf(token))).rejects.toMatchObject({ code: 'overloaded' });
  away = false;
  expect(await cache.verify(token, athOf(token))).toMatchObject({ clientId: 'client-1' });
});

test('a token is known until it expires, with the 30 s by which clocks may differ, and no longer', async () => {
  const cache = cacheOf();
  const ath = await verified(cache, { exp: START / 1000 + 60 });
  issuer.clock.now = START + 89_999;
  expect(cache.known(ath)).toBeDefined();
  issuer.clock.now = START + 90_000;
  expect(cache.known(ath)).toBeUndefined();
});

test('when a key is withdrawn every token has to be verified again', async () => {
  let withdrawals = 0;
  const cache = cacheOf({ keys: Object.assign(issuer.rules.keys, { withdrawals: () => withdrawals }) });
  const ath = await verified(cache);
  expect(cache.known(ath)).toBeDefined();
  withdrawals += 1;
  expect(cache.known(ath)).toBeUndefined();
  const again = await verified(cache);
  expect(cache.known(again)).toBeDefined();
});

test('a key that is withdrawn while a token is verified takes that token with it', async () => {
  let withdrawals = 0;
  const keys = (header: object, token: never) => {
    withdrawals += 1;
    return issuer.rules.keys(header as never, token);
  };
  const cache = cacheOf({ keys: Object.assign(keys, { withdrawals: () => withdrawals }) });
  expect(cache.known(await verified(cache))).toBeUndefined();
});

test('keys that do not say what was withdrawn are believed for ten minutes', async () => {
  const cache = cacheOf({ keys: (header: object, token: never) => issuer.rules.keys(header as never, token) });
  const ath = await verified(cache);
  issuer.clock.now = START + 10 * MINUTE - 1;
  expect(cache.known(ath)).toBeDefined();
  issuer.clock.now = START + 10 * MINUTE;
  expect(cache.known(ath)).toBeUndefined();
});

test('when the keys are too old they are fetched before a known token is taken; when there are none that is an overload', async () => {
  let fetched: Promise<void> | undefined;
  const cache = cacheOf({
    keys: Object.assign(issuer.rules.keys, { fresh: () => fetched, withdrawals: () => 0 }),
  });
  const ath = await verified(cache);
  expect(cache.known(ath)).not.toBeInstanceOf(Promise);
  fetched = Promise.resolve();
  expect(await cache.known(ath)).toMatchObject({ clientId: 'client-1' });
  fetched = Promise.reject(new KeysUnavailable());
  await expect(cache.known(ath)).rejects.toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1000 } });
});

describe('room', () => {
  test('is for 20,000 tokens unless said', () => {
    expect(TOKENS_KEPT).toBe(20_000);
  });

  test('is for so many tokens, each of which stays known while there are no more', async () => {
    const cache = cacheOf({}, 50);
    const all = await Promise.all(Array.from({ length: 50 }, (_, at) => verified(cache, { jti: `j${at}` })));
    for (let round = 0; round < 3; round += 1) expect(all.filter((ath) => cache.known(ath) === undefined)).toEqual([]);
    expect(issuer.verified()).toBe(50);
  });

  test('is made by the oldest that nobody asked for', async () => {
    const cache = cacheOf({}, 4);
    const [a, b, c, d] = [
      await verified(cache, { jti: 'a' }),
      await verified(cache, { jti: 'b' }),
      await verified(cache, { jti: 'c' }),
      await verified(cache, { jti: 'd' }),
    ];
    void cache.known(a);
    void cache.known(b);
    const e = await verified(cache, { jti: 'e' });
    expect([a, b, c, d, e].map((ath) => cache.known(ath) !== undefined)).toEqual([true, true, false, true, true]);
  });

  test('is made also when everybody is asked for, and never for more than there is', async () => {
    const cache = cacheOf({}, 20);
    const all: string[] = [];
    for (let at = 0; at < 60; at += 1) {
      all.push(await verified(cache, { jti: `j${at}` }));
      for (const ath of all) void cache.known(ath);
    }
    expect(all.filter((ath) => cache.known(ath) !== undefined)).toHaveLength(20);
    expect(cache.known(all.at(-1)!)).toBeDefined();
  });

  test('is made by what has expired before anything that has not', async () => {
    const cache = cacheOf({}, 6);
    const short = await Promise.all(['a', 'b', 'c'].map((jti) => verified(cache, { jti, exp: START / 1000 + 60 })));
    for (const ath of short) void cache.known(ath);
    const long = await Promise.all(['d', 'e', 'f'].map((jti) => verified(cache, { jti })));
    issuer.clock.now = START + 2 * MINUTE;
    long.push(await verified(cache, { jti: 'g' }), await verified(cache, { jti: 'h' }));
    expect(long.filter((ath) => cache.known(ath) === undefined)).toEqual([]);
  });
});
