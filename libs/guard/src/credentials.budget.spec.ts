import { Refusal } from '@portcullis/contract/refusals';
import { memoryCredentialChecks } from './credential-checks.memory.js';
import { authenticate, type Authenticated, type CredentialChecks } from './credentials.js';
import { KeysUnavailable } from './jwks.http.js';
import { proofBy, proofKey, type ProofKey, type ProofWords } from './proof.fixture.js';
import { countingIssuer, type CountingIssuer } from './token.fixture.js';

const START = 1_800_000_000_000;
const URI = 'https://mcp.example/mcp';
const HOME = '192.0.2.1';
let issuer: CountingIssuer;
let checks: CredentialChecks;
let own: ProofKey;
let foreign: ProofKey;
beforeAll(async () => {
  [own, foreign] = [await proofKey(), await proofKey()];
});
beforeEach(async () => {
  issuer = await countingIssuer(START);
  checks = memoryCredentialChecks(issuer.rules);
});

const ask = (authorization: string, address = HOME, dpop: readonly string[] = []) =>
  authenticate({ authorization: [authorization], dpop, method: 'POST', address }, URI, checks);
const outcome = async (authorization: string, address?: string, dpop?: readonly string[]): Promise<string> => {
  try {
    return (await ask(authorization, address, dpop)).caller.clientId;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.code;
  }
};
/** tokens of our issuer that are for somebody else, so that it takes their signature and claims to refuse them */
const badTokens = (many: number) =>
  Promise.all(
    Array.from({ length: many }, (_, at) => issuer.token({ aud: 'https://other.example', jti: `bad-${at}` })),
  );
const flood = async (many: number, address = HOME): Promise<string[]> => {
  const all: string[] = [];
  for (const token of await badTokens(many)) all.push(await outcome(`Bearer ${token}`, address));
  return all;
};
const bound = (to = own) => issuer.token({ cnf: { jkt: to.jkt } });
const proof = (token: string, words: Partial<ProofWords> = {}, key = own) =>
  proofBy(key, { htu: URI, token, nonce: checks.proofs.nonces.current(), now: issuer.clock.now, ...words });

describe('a token that is known', () => {
  test('is answered at once, with the same caller each time and without a look at its signature', async () => {
    const header = `Bearer ${await issuer.token()}`;
    const { caller } = await ask(header);
    const again = ask(header);
    expect(again).not.toBeInstanceOf(Promise);
    expect((again as Authenticated).caller).toBe(caller);
    expect(issuer.verified()).toBe(1);
  });

  test('is known however its header is spelled, and that adds nothing to what is kept', async () => {
    const token = await issuer.token();
    for (const header of [`Bearer ${token}`, `bearer ${token}`, `BEARER    ${token}`])
      expect(await outcome(header)).toBe('client-1');
    expect(issuer.verified()).toBe(1);
    expect([await outcome(`Bearer ${token} `), await outcome(`Bearer ${token},x`)]).toEqual([
      'token_invalid',
      'token_invalid',
    ]);
  });

  test('passes while everybody else at its address is refused, and so does its proof', async () => {
    const bearer = `Bearer ${await issuer.token()}`;
    const token = await bound();
    await ask(bearer);
    await ask(`DPoP ${token}`, HOME, [await proof(token)]);
    await flood(61);
    const unknown = await issuer.token({ jti: 'late' });
    expect(await outcome(`Bearer ${unknown}`)).toBe('rate_limited');
    expect(await outcome(bearer)).toBe('client-1');
    expect(await outcome(`DPoP ${token}`, HOME, [await proof(token)])).toBe('client-1');
  });

  test('is not good under the other scheme for being known', async () => {
    const [bearer, token] = [await issuer.token(), await bound()];
    await ask(`Bearer ${bearer}`);
    await ask(`DPoP ${token}`, HOME, [await proof(token)]);
    expect(await outcome(`Bearer ${token}`)).toBe('dpop_invalid');
    expect(await outcome(`DPoP ${bearer}`, HOME, [await proof(bearer)])).toBe('token_invalid');
    expect(await outcome(`Bearer ${bearer}`, HOME, [await proof(bearer)])).toBe('dpop_invalid');
    expect(await outcome(`DPoP ${token}`)).toBe('dpop_invalid');
  });

  test('needs a proof of its own for every request', async () => {
    const token = await bound();
    const once = await proof(token);
    expect(await outcome(`DPoP ${token}`, HOME, [once])).toBe('client-1');
    expect(await outcome(`DPoP ${token}`, HOME, [once])).toBe('dpop_invalid');
    expect(await outcome(`DPoP ${token}`, HOME, [await proof(token)])).toBe('client-1');
    expect(issuer.verified()).toBe(1);
  });

  test('is refused when it has run out, whatever was known of it', async () => {
    const header = `Bearer ${await issuer.token({ exp: START / 1000 + 60 })}`;
    expect(await outcome(header)).toBe('client-1');
    issuer.clock.now += 90_000;
    expect(await outcome(header)).toBe('token_invalid');
  });
});

describe('a token that is known by keys that have to be fetched first', () => {
  test.each([
    ['is taken when they are what they were', 0, 1],
    ['is verified anew when one is gone', 1, 2],
  ])('%s', async (_what, gone, verifications) => {
    const told: { withdrawn: number; fetched?: Promise<void> } = { withdrawn: 0 };
    const keys = Object.assign(issuer.rules.keys, { fresh: () => told.fetched, withdrawals: () => told.withdrawn });
    checks = memoryCredentialChecks({ ...issuer.rules, keys });
    const header = `Bearer ${await issuer.token()}`;
    await ask(header);
    told.fetched = Promise.resolve().then(() => void (told.withdrawn += gone));
    const again = ask(header);
    expect(again).toBeInstanceOf(Promise);
    expect([(await again).caller.clientId, issuer.verified()]).toEqual(['client-1', verifications]);
  });
});

describe('tokens that are not known', () => {
  test('are verified no more once sixty of their address were bad within a minute', async () => {
    expect(new Set(await flood(60))).toEqual(new Set(['token_invalid']));
    expect(new Set(await flood(20))).toEqual(new Set(['rate_limited']));
    expect(issuer.verified()).toBe(60);
    issuer.clock.now += 60_000;
    expect(await outcome(`Bearer ${await issuer.token()}`)).toBe('client-1');
  });

  test('are told for how long, and by which limit', async () => {
    await flood(60);
    issuer.clock.now += 15_000;
    await expect(ask('Bearer x')).rejects.toMatchObject({
      facts: { limitType: 'failures', remaining: 0, retryAfterMs: 45_000 },
    });
  });

  test('cost sixty verifications when a thousand bad ones come at once', async () => {
    const all = await Promise.all((await badTokens(1_000)).map((token) => outcome(`Bearer ${token}`)));
    expect(all.filter((one) => one === 'token_invalid')).toHaveLength(60);
    expect(all.filter((one) => one === 'rate_limited')).toHaveLength(940);
    expect(issuer.verified()).toBe(60);
  });

  test('all pass when many good ones come at once from one address, each verified once', async () => {
    const tokens = await Promise.all(Array.from({ length: 150 }, (_, at) => issuer.token({ jti: `j${at}` })));
    const all = await Promise.all([...tokens, ...tokens].map((token) => outcome(`Bearer ${token}`)));
    expect([new Set(all), issuer.verified()]).toEqual([new Set(['client-1']), 150]);
  });

  test.each<[string, string, string[]]>([
    ['IPv6 addresses of one network of 64 bits count together', '2001:db8:0:1::1', ['2001:db8:0:1:ffff::9']],
    ['an IPv4 address counts for itself', '192.0.2.7', ['192.0.2.7']],
  ])('%s', async (_what, from, alike) => {
    await flood(60, from);
    const good = `Bearer ${await issuer.token()}`;
    for (const address of alike) expect(await outcome(good, address)).toBe('rate_limited');
    for (const address of ['2001:db8:0:2::1', '192.0.2.8']) expect(await outcome(good, address)).toBe('client-1');
  });

  test.each<[string, () => string | Promise<string>]>([
    ['no JWT', () => 'Bearer abc'],
    ['no credentials of ours', () => 'Basic YTpi'],
    ['one that ran out', async () => `Bearer ${await issuer.token({ exp: 1 })}`],
    ['one under the DPoP scheme', async () => `DPoP ${await issuer.token({ iss: 'https://evil.example' })}`],
  ])('count when they are %s', async (_what, header) => {
    const sent = await header();
    for (let at = 0; at < 60; at += 1) expect(await outcome(sent)).toBe('token_invalid');
    expect(await outcome(sent)).toBe('rate_limited');
  });

  test('do not count when there is none, nor when the keys cannot be had', async () => {
    const none = () => authenticate({ authorization: [], dpop: [], method: 'POST', address: HOME }, URI, checks);
    for (let at = 0; at < 70; at += 1) await expect(none()).rejects.toMatchObject({ code: 'token_missing' });
    const away = { ...issuer.rules, keys: () => Promise.reject(new KeysUnavailable()) };
    const { failures, proofs } = checks;
    checks = memoryCredentialChecks(away, { failures, proofs });
    const token = await issuer.token();
    for (let at = 0; at < 70; at += 1) expect(await outcome(`Bearer ${token}`)).toBe('overloaded');
    checks = memoryCredentialChecks(issuer.rules, { failures, proofs });
    expect(await outcome(`Bearer ${token}`)).toBe('client-1');
  });
});

describe('proofs', () => {
  test('that are bad count for the token from that address: neither other tokens there nor its owner elsewhere suffer', async () => {
    const [token, other] = [await bound(), await bound(foreign)];
    for (let at = 0; at < 60; at += 1)
      expect(await outcome(`DPoP ${token}`, HOME, [await proof(token, { htm: 'GET' })])).toBe('dpop_invalid');
    expect(await outcome(`DPoP ${token}`, HOME, [await proof(token)])).toBe('rate_limited');
    expect(await outcome(`DPoP ${token}`, '198.51.100.1', [await proof(token)])).toBe('client-1');
    expect(await outcome(`DPoP ${other}`, HOME, [await proof(other, {}, foreign)])).toBe('client-1');
    expect(await outcome(`Bearer ${await issuer.token()}`)).toBe('client-1');
  });

  test('by another key count too, as whoever found a token would send them', async () => {
    const token = await bound();
    for (let at = 0; at < 60; at += 1)
      expect(await outcome(`DPoP ${token}`, HOME, [await proof(token, {}, foreign)])).toBe('dpop_invalid');
    expect(await outcome(`DPoP ${token}`, HOME, [await proof(token)])).toBe('rate_limited');
  });

  test('without a nonce do not count: that is how clients get one', async () => {
    const token = await bound();
    for (let at = 0; at < 70; at += 1)
      expect(await outcome(`DPoP ${token}`, HOME, [await proof(token, { nonce: undefined })])).toBe('dpop_invalid');
    expect(await outcome(`DPoP ${token}`, HOME, [await proof(token)])).toBe('client-1');
  });
});
