import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { Secret } from '@portcullis/contract/secret';
import { decodeProtectedHeader, importJWK, jwtVerify, type JWK } from 'jose';
import type { InsideInit } from './fetch-inside.http.js';
import { serviceTokens, ServiceTokenUnavailable } from './service-token.http.js';

const SECOND = 1_000;
const LIFE = 900;
const keyOf = (pair: { privateKey: { export(how: { format: 'jwk' }): object } }): JWK =>
  pair.privateKey.export({ format: 'jwk' }) as JWK;
const P256 = keyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const ED25519 = keyOf(generateKeyPairSync('ed25519'));

type Reply = { status?: number; body?: unknown } | Error;

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** An authorization server that gives `t1`, `t2` … unless told otherwise, on a clock that the test turns. */
function started(more: Partial<Parameters<typeof serviceTokens>[0]> = {}) {
  const clock = { at: 1_800_000_000_000 };
  const asked: { url: string; form: URLSearchParams }[] = [];
  const state: { reply: ((n: number) => Reply | Promise<Reply>) | undefined } = { reply: undefined };
  const good = (n: number): Reply => ({ body: { access_token: `t${n}`, token_type: 'Bearer', expires_in: LIFE } });
  const fetch = async (url: string, { body }: InsideInit = {}): Promise<Response> => {
    asked.push({ url, form: new URLSearchParams(String(body)) });
    const reply = await (state.reply ?? good)(asked.length);
    if (reply instanceof Error) throw reply;
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    return new Response(text, { status: reply.status ?? 200 });
  };
  const tokens = serviceTokens({
    issuer: 'https://auth.example',
    resource: 'https://limits.example/v1',
    scope: 'limits:decide',
    clientId: 'mcp',
    key: new Secret(JSON.stringify(P256)),
    fetch,
    now: () => clock.at,
    ...more,
  });
  const token = async (): Promise<string> => (await tokens.token()).reveal();
  /** Until so many were asked for and answered; signing is work of other threads. */
  const fetched = async (count: number): Promise<void> => {
    while (asked.length < count) await turn();
    for (let i = 0; i < 10; i++) await turn();
  };
  return { tokens, token, clock, asked, state, fetched };
}

test.each([
  ['ES256', P256],
  ['EdDSA', ED25519],
])('asks by an assertion of its key (%s), good for a minute and once, for one API', async (alg, key) => {
  const { token, asked, clock } = started({ key: new Secret(JSON.stringify({ ...key, kid: 'k7' })) });
  expect(await token()).toBe('t1');
  const [{ url, form }] = asked as [{ url: string; form: URLSearchParams }];
  expect(url).toBe('https://auth.example/token');
  const assertion = form.get('client_assertion') ?? '';
  form.delete('client_assertion');
  expect(Object.fromEntries(form)).toEqual({
    grant_type: 'client_credentials',
    client_id: 'mcp',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    resource: 'https://limits.example/v1',
    scope: 'limits:decide',
  });
  expect(decodeProtectedHeader(assertion)).toEqual({ alg, kid: 'k7' });
  const { d: _d, ...publicKey } = key;
  const { payload } = await jwtVerify(assertion, await importJWK(publicKey, alg), { currentDate: new Date(clock.at) });
  const at = clock.at / 1000;
  expect(payload).toEqual({
    ...{ iss: 'mcp', sub: 'mcp', aud: 'https://auth.example', iat: at, exp: at + 60 },
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

test('who asks at once waits for one fetch; afterwards the token is there at once', async () => {
  const { tokens, token, asked } = started();
  expect(await Promise.all([token(), token(), token()])).toEqual(['t1', 't1', 't1']);
  expect(asked).toHaveLength(1);
  expect(tokens.token()).toBeInstanceOf(Secret);
});

test('at three quarters of its life another one is fetched, and nobody waits for it', async () => {
  const { tokens, token, asked, clock, fetched } = started();
  await token();
  clock.at += (LIFE * 3 * SECOND) / 4 - 1;
  expect(await token()).toBe('t1');
  expect(asked).toHaveLength(1);
  clock.at += 1;
  expect((tokens.token() as Secret).reveal()).toBe('t1');
  await fetched(2);
  expect((tokens.token() as Secret).reveal()).toBe('t2');
  expect(asked).toHaveLength(2);
});

test('it is used until half a minute before its end, and not longer', async () => {
  const { tokens, token, clock, state, fetched } = started();
  await token();
  state.reply = () => new Error('ECONNREFUSED');
  clock.at += (LIFE - 30) * SECOND - 1;
  expect(await token()).toBe('t1');
  await fetched(2);
  clock.at += 1;
  await expect((async () => tokens.token())()).rejects.toThrow(ServiceTokenUnavailable);
});

test('an authorization server that is away at the start is asked once a second, and heard when it is back', async () => {
  const { token, asked, clock, state } = started();
  state.reply = () => new Error('ECONNREFUSED');
  for (let i = 0; i < 5; i++) await expect(token()).rejects.toThrow('cannot be reached');
  expect(asked).toHaveLength(1);
  state.reply = undefined;
  clock.at += SECOND - 1;
  await expect(token()).rejects.toThrow('cannot be reached');
  clock.at += 1;
  expect(await token()).toBe('t2');
});

test('one that is away later is not missed while the token lives, and is asked once a second', async () => {
  const { token, asked, clock, state, fetched } = started();
  await token();
  state.reply = () => new Error('ECONNREFUSED');
  clock.at += LIFE * 0.8 * SECOND;
  for (let i = 0; i < 5; i++) {
    expect(await token()).toBe('t1');
    await fetched(2);
  }
  expect(asked).toHaveLength(2);
  state.reply = undefined;
  clock.at += SECOND;
  expect(await token()).toBe('t1');
  await fetched(3);
  expect(await token()).toBe('t3');
});

test('a token that its resource refuses is replaced, but not one that was fetched just now', async () => {
  const { tokens, token, asked, clock } = started();
  const first = await tokens.token();
  expect(tokens.refused(first)).toBe(false);
  expect(await token()).toBe('t1');
  clock.at += SECOND;
  expect(tokens.refused(first)).toBe(true);
  expect(await token()).toBe('t2');
  // whoever had the old one in hand says so late
  clock.at += SECOND;
  expect(tokens.refused(first)).toBe(true);
  expect(await token()).toBe('t2');
  expect(asked).toHaveLength(2);
});

test('a clock that is turned, forward or back, costs a fetch and no more', async () => {
  const { token, clock, asked } = started();
  await token();
  clock.at += 3_600 * SECOND;
  expect(await token()).toBe('t2');
  clock.at -= 7_200 * SECOND;
  expect(await token()).toBe('t3');
  expect(await token()).toBe('t3');
  expect(asked).toHaveLength(3);
});

const body = { access_token: 'token-of-somebody', token_type: 'Bearer', expires_in: LIFE };
test.each<[string, Reply, RegExp]>([
  ['a refusal', { status: 401, body: { error: 'invalid_client', error_description: 'x' } }, /401 invalid_client$/],
  ['a refusal that is no JSON', { status: 503, body: '<html>' }, /: 503$/],
  ['a refusal with a word that is none', { status: 400, body: { error: 'a\nb' } }, /: 400$/],
  ['a refusal that is nothing', { status: 400, body: null }, /: 400$/],
  ['a demand for proofs', { status: 400, body: { error: 'invalid_dpop_proof' } }, /client add --bearer/],
  ['nothing', { body: '' }, /holds none/],
  ['no token', { body: { ...body, access_token: '' } }, /holds none/],
  ['a token with a line end', { body: { ...body, access_token: 'a\nb' } }, /holds none/],
  ['a token that is too long', { body: { ...body, access_token: 'x'.repeat(8193) } }, /holds none/],
  ['a token for ever', { body: { ...body, expires_in: 1e9 } }, /holds none/],
  ['a token that has ended', { body: { ...body, expires_in: 0 } }, /holds none/],
  ['a bound token', { body: { ...body, token_type: 'DPoP' } }, /client add --bearer/],
  ['less than was asked for', { body: { ...body, scope: 'limits:admin' } }, /grants less than limits:decide/],
])('%s is no token, and the error shows neither what was asked nor what was answered', async (_what, reply, says) => {
  const { token, asked, state } = started();
  state.reply = () => reply;
  const error = await token().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ServiceTokenUnavailable);
  expect((error as Error).message).toMatch(says);
  const shown = inspect(error, { depth: 10 });
  expect(shown).not.toContain(asked[0]!.form.get('client_assertion'));
  expect(shown).not.toContain('token-of-somebody');
});

test('a scope that is answered with others besides is enough', async () => {
  const { token, state } = started();
  state.reply = () => ({ body: { ...body, token_type: 'bearer', scope: 'other limits:decide' } });
  expect(await token()).toBe('token-of-somebody');
});

test('what is no key is said at once', () => {
  expect(() => started({ key: new Secret('{}') })).toThrow('must be one private key');
});
