import { generateKeyPairSync } from 'node:crypto';
import { BAD_TOKENS, forgeOf, type Forge } from './bad-tokens.fixture.js';
import { JSON_TYPE } from './bad-input.fixture.js';
import { call, startRig, type Rig } from './rig.fixture.js';
import { sendRaw } from './raw-request.fixture.js';

let rig: Rig;
let forge: Forge;
let before: Record<string, number>;
let from = 0;
beforeAll(async () => {
  rig = await startRig({ TRUSTED_PROXIES: '127.0.0.1/32' });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  forge = forgeOf(rig, privateKey, publicKey.export({ format: 'jwk' }) as Record<string, unknown>);
  before = await rig.rows();
}, 60_000);
afterAll(() => rig.close());

async function send(authorization: string[], address: string) {
  const { headers, body } = call('get_customer_info', { customer_id: '12345' });
  return sendRaw(rig.mcp, {
    headers: { ...JSON_TYPE, ...headers, authorization, 'x-forwarded-for': address },
    body: JSON.stringify(body),
  });
}

test('what the table changes is good as long as nothing is changed', async () => {
  const got = await send([`Bearer ${forge.ours()}`], '192.0.2.254');
  expect([got.status, JSON.parse(got.text).result.structuredContent.customer_id]).toEqual([200, '12345']);
});

test.each(Object.entries(BAD_TOKENS))(
  'a token with %s is refused, told how to get a good one, and on record',
  async (_what, made) => {
    const address = `192.0.2.${(from += 1)}`;
    const authorization = made(forge);
    const events = rig.events.all.length;
    const got = await send(authorization, address);
    const answer = JSON.parse(got.text) as { error: { code: number; data: Record<string, unknown> } };
    expect([got.status, answer.error.code, answer.error.data['code']]).toEqual([401, 40100, 'token_invalid']);
    const challenge = String(got.headers['www-authenticate']);
    expect(challenge).toMatch(/^Bearer realm="portcullis", error="invalid_token", error_description="[^"]+", scope="/);
    expect(challenge).toContain(`resource_metadata="${rig.url}/.well-known/oauth-protected-resource/mcp"`);
    expect(challenge).toContain(', DPoP realm="portcullis", algs="ES256');

    expect(rig.events.all).toHaveLength(events + 1);
    expect(rig.events.lastCall()).toMatchObject({
      outcome: 'token_invalid',
      http: 401,
      address,
      denial: false,
      correlationId: answer.error.data['correlationId'],
    });
    expect(rig.events.lastCall().clientId).toBeUndefined();
    // neither the token nor how we look at it leaves, and the token is not on record
    expect(Object.keys(answer.error.data).sort()).toEqual(['code', 'correlationId']);
    expect(got.text).not.toMatch(/jose|JWS|JWT|claim|signature|node_modules|\.[jt]s:\d|^\s*at /im);
    const kept = JSON.stringify(rig.events.all.at(-1));
    for (const part of authorization
      .join(' ')
      .split(/[\s.,]+/)
      .filter((one) => one.length > 40))
      expect(`${got.text}${challenge}${kept}`).not.toContain(part);
  },
);

test('none of them has changed anything, and there are as many as there are', async () => {
  expect(await rig.rows()).toEqual(before);
  expect(Object.keys(BAD_TOKENS).length).toBeGreaterThanOrEqual(40);
});

test('a token in a cookie, in a form or under another name is none at all', async () => {
  const token = forge.ours();
  const { headers, body } = call('get_customer_info', { customer_id: '12345' });
  for (const [name, value] of [
    ['cookie', `access_token=${token}`],
    ['x-authorization', `Bearer ${token}`],
    ['proxy-authorization', `Bearer ${token}`],
    ['x-forwarded-authorization', `Bearer ${token}`],
  ] as const) {
    const got = await sendRaw(rig.mcp, {
      headers: { ...JSON_TYPE, ...headers, [name]: value },
      body: JSON.stringify(body),
    });
    expect([got.status, JSON.parse(got.text).error.data.code]).toEqual([401, 'token_missing']);
    expect(got.headers['www-authenticate']).not.toContain('error=');
  }
  const got = await sendRaw(rig.mcp, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `access_token=${token}`,
  });
  expect([got.status, JSON.parse(got.text).error.data.code]).toEqual([401, 'token_missing']);
});
