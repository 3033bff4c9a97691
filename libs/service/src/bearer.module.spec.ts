import { Refusal } from '@portcullis/contract/refusals';
import type { BehaviourState } from '@portcullis/contract/standing';
import { localKeys } from '@portcullis/guard/jwks.http';
import { request } from 'node:http';
import { AUDIENCE, ISSUER, startThings, testIssuer, type TestIssuer } from './api.fixture.js';

let issuer: TestIssuer;
let things: Awaited<ReturnType<typeof startThings>>;
let other: Awaited<ReturnType<typeof startThings>>;
let state: BehaviourState = 'Normal';
let revoked = false;
const DPOP_TOO = 'DPoP realm="portcullis", algs="ES256 EdDSA Ed25519 RS256"';
const OTHER = 'https://other.example/v1';

beforeAll(async () => {
  issuer = await testIssuer();
  const rules = { issuer: ISSUER, audience: AUDIENCE, keys: localKeys(issuer.jwks), now: Date.now };
  things = await startThings({ rules, stateOf: () => state, isRevoked: ({ tokenId }) => revoked && tokenId === 'j1' });
  other = await startThings({ rules: { ...rules, audience: OTHER } });
});
afterAll(async () => {
  await things.close();
  await other.close();
});
beforeEach(() => {
  state = 'Normal';
  revoked = false;
});

const ask = async (authorization?: string, base = things.bound.url) => {
  const response = await fetch(`${base}/whoami`, { headers: authorization ? { Authorization: authorization } : {} });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: (await response.json()) as Record<string, unknown>,
  };
};

test('a token with the scope is let in, and the route knows its caller', async () => {
  const answer = await ask(`Bearer ${await issuer.token()}`);
  expect(answer).toEqual({ status: 200, challenge: null, body: { tenant: 'default', clientId: 'client-1' } });
});

test('no token is 401 with a challenge that names the scope and no error', async () => {
  const answer = await ask();
  expect(answer.status).toBe(401);
  expect(answer.challenge).toBe(`Bearer realm="portcullis", scope="security:read", ${DPOP_TOO}`);
  expect(answer.body.error).toBe('token_missing');
});

test('a token without the scope is 403 insufficient_scope', async () => {
  const answer = await ask(`Bearer ${await issuer.token({ scope: 'events:write' })}`);
  expect(answer.status).toBe(403);
  expect(answer.challenge).toMatch(/error="insufficient_scope".*scope="security:read"/);
  expect(answer.body).toMatchObject({ error: 'scope_insufficient', scopes: ['security:read'] });
});

test.each([
  ['of another issuer', { iss: 'https://evil.example' }, {}],
  ['for another API', { aud: OTHER }, {}],
  ['for two APIs', { aud: [AUDIENCE, OTHER] }, {}],
  ['that has expired', { exp: 1 }, {}],
  ['of another type', {}, { typ: 'JWT' }],
  ['without a tenant', { tenant: undefined }, {}],
  ['of an unknown key', {}, { kid: 'k2' }],
])('a token %s is 401 invalid_token', async (_what, claims, header) => {
  const answer = await ask(`Bearer ${await issuer.token(claims, header)}`);
  expect(answer.status).toBe(401);
  expect(answer.challenge).toMatch(
    /^Bearer realm="portcullis", error="invalid_token", error_description="[^"]+", scope="security:read", DPoP realm=/,
  );
  expect(answer.body.error).toBe('token_invalid');
});

test('two Authorization headers are 401', async () => {
  const token = await issuer.token();
  const status = await new Promise((resolve, reject) => {
    const headers = ['Host', 'x', 'Authorization', `Bearer ${token}`, 'Authorization', `Bearer ${token}`];
    const asked = request(`${things.bound.url}/whoami`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject).end();
  });
  expect(status).toBe(401);
});

test('a token in the query or in the body is not looked at (RFC 6750 §2.2, §2.3)', async () => {
  const token = await issuer.token();
  expect((await fetch(`${things.bound.url}/whoami?access_token=${token}`)).status).toBe(401);
  const body = JSON.stringify({ access_token: token });
  const headers = { 'Content-Type': 'application/json' };
  expect((await fetch(`${things.bound.url}/whoami`, { method: 'POST', headers, body })).status).toBe(401);
});

test('two apps in one process each take tokens for their own audience only', async () => {
  const [here, there] = [await issuer.token(), await issuer.token({ aud: OTHER })];
  expect((await ask(`Bearer ${here}`)).status).toBe(200);
  expect((await ask(`Bearer ${there}`, other.bound.url)).status).toBe(200);
  expect((await ask(`Bearer ${there}`)).status).toBe(401);
  expect((await ask(`Bearer ${here}`, other.bound.url)).status).toBe(401);
});

test('a contained caller is 403 without a challenge where the state is known', async () => {
  state = 'Isolated';
  const answer = await ask(`Bearer ${await issuer.token()}`);
  expect(answer).toMatchObject({ status: 403, challenge: null, body: { error: 'quarantined' } });
  expect((await ask(`Bearer ${await issuer.token({ aud: OTHER })}`, other.bound.url)).status).toBe(200);
});

test('a token that was revoked is 401 invalid_token, and the next one is good', async () => {
  revoked = true;
  const answer = await ask(`Bearer ${await issuer.token()}`);
  expect(answer).toMatchObject({ status: 401, body: { error: 'token_invalid' } });
  expect(answer.challenge).toMatch(/^Bearer realm="portcullis", error="invalid_token"/);
  expect((await ask(`Bearer ${await issuer.token({ jti: 'j2' })}`)).status).toBe(200);
});

test('closing one app leaves the others working', async () => {
  const third = await startThings({
    rules: { issuer: ISSUER, audience: AUDIENCE, keys: localKeys(issuer.jwks), now: Date.now },
  });
  await third.close();
  expect((await ask(`Bearer ${await issuer.token()}`)).status).toBe(200);
});

test('keys that cannot be had are 503, since that says nothing about the token', async () => {
  const keyless = await startThings({
    rules: { issuer: ISSUER, audience: AUDIENCE, now: Date.now, keys: () => Promise.reject(new Error('down')) },
  });
  const answer = await ask(`Bearer ${await issuer.token()}`, keyless.bound.url);
  await keyless.close();
  expect(answer).toMatchObject({ status: 503, challenge: null, body: { error: 'overloaded' } });
});

test('after sixty bad tokens of an address nobody new is let in from there, whoever is known is, and each is on record', async () => {
  const seen: string[] = [];
  let from = '192.0.2.1';
  const guarded = await startThings(
    {
      rules: { issuer: ISSUER, audience: AUDIENCE, keys: localKeys(issuer.jwks), now: Date.now },
      addressOf: () => from,
    },
    { onRefused: async (_request, { error }) => void seen.push(error) },
  );
  const { url } = guarded.bound;
  const known = `Bearer ${await issuer.token()}`;
  const late = `Bearer ${await issuer.token({ jti: 'late' })}`;
  expect((await ask(known, url)).status).toBe(200);
  const bad = await Promise.all(Array.from({ length: 80 }, (_, at) => issuer.token({ jti: `b${at}`, aud: OTHER })));
  const answers = await Promise.all(bad.map((token) => ask(`Bearer ${token}`, url)));
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(60);
  expect(answers.find(({ status }) => status === 429)).toMatchObject({
    challenge: null,
    body: { error: 'rate_limited', limitType: 'failures', remaining: 0 },
  });
  expect([(await ask(late, url)).status, (await ask(known, url)).status]).toEqual([429, 200]);
  from = '192.0.2.2';
  expect((await ask(late, url)).status).toBe(200);
  await guarded.close();
  expect([seen.length, seen.filter((error) => error === 'rate_limited').length]).toEqual([81, 21]);
});

test('a call that is refused for its caller is on record before the answer, and no other call is', async () => {
  const seen: unknown[] = [];
  let full = false;
  const record = await startThings(
    { rules: { issuer: ISSUER, audience: AUDIENCE, keys: localKeys(issuer.jwks), now: Date.now } },
    {
      onRefused: async (asked, refused) => {
        if (full) throw new Refusal('overloaded');
        seen.push([refused.error, (asked as { user?: { clientId: string } }).user?.clientId]);
      },
    },
  );
  const { url } = record.bound;
  await ask(undefined, url);
  await ask(`Bearer ${await issuer.token()}`, url);
  await ask(`Bearer ${await issuer.token({ scope: 'events:write' })}`, url);
  await fetch(`${url}/nothing-here`);
  full = true;
  const unkept = await ask(undefined, url);
  await record.close();
  expect(seen).toEqual([
    ['token_missing', undefined],
    ['scope_insufficient', 'client-1'],
  ]);
  expect(unkept).toMatchObject({ status: 503, body: { error: 'overloaded' } });
});
