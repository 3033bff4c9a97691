import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { principalId } from '@portcullis/contract/ids';
import { accessTokenClaims } from '@portcullis/scopes/caller';
import { createRemoteJWKSet, jwtVerify, type JWK } from 'jose';
import {
  assertion,
  ASSERTION_TYPE,
  basic,
  MCP,
  postToken,
  privateJwk,
  secretOf,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';
import { proven } from './proofs.fixture.js';

let gate: Gate;
let foreignKey: JWK;
beforeAll(async () => {
  gate = await startGate(await world());
  foreignKey = await privateJwk();
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const GRANT = { grant_type: 'client_credentials' };
const support = () => secretOf(gate.demo, 'support-agent');
const secureKey = () => gate.demo.clients['secure-agent'].private_jwk as JWK;
const assert = async (...more: Parameters<typeof assertion> extends [JWK, string, string, ...infer R] ? R : never) => ({
  ...GRANT,
  client_assertion_type: ASSERTION_TYPE,
  client_assertion: await assertion(secureKey(), 'secure-agent', gate.issuer, ...more),
});
const verified = async (token: unknown, audience: string) => {
  const keys = createRemoteJWKSet(new URL(`${gate.issuer}/jwks`));
  return jwtVerify(String(token), keys, { issuer: gate.issuer, audience, typ: 'at+jwt', algorithms: ['ES256'] });
};

describe('a machine with a secret', () => {
  test('gets an RFC 9068 token of 15 minutes with our claims and no task', async () => {
    const reply = await postToken(gate, { ...GRANT, scope: 'customer:read ticket:create', resource: MCP }, support());
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 900 } });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const { payload, protectedHeader } = await verified(reply.body.access_token, MCP);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(accessTokenClaims.parse(payload)).toEqual({
      iss: gate.issuer,
      aud: MCP,
      sub: 'support-agent',
      client_id: 'support-agent',
      tenant: 'default',
      scope: 'customer:read ticket:create',
      ceiling: 'customer:read ticket:read ticket:create account:calculate sentiment:analyze',
      jti: expect.stringMatching(/^[\w-]{21,}$/),
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 900,
    });
  });

  test("is put on record with the token's id, under its principal", async () => {
    const reply = await postToken(gate, { ...GRANT, scope: 'ticket:read' }, support());
    const { payload } = await verified(reply.body.access_token, MCP);
    expect(gate.events.seen.at(-1)).toMatchObject({
      type: 'portcullis.auth.v1',
      tenant: 'default',
      subject: principalId('default', 'support-agent'),
      data: {
        action: 'token.issued',
        clientId: 'support-agent',
        grantType: 'client_credentials',
        scope: 'ticket:read',
        resource: MCP,
        tokenId: payload.jti,
        address: '127.0.0.1',
      },
    });
  });
});

describe('a machine with a key', () => {
  test.each([
    ['the issuer', ''],
    ['the token endpoint', '/token'],
  ])('gets a token for an assertion that names %s', async (_says, path) => {
    const form = { ...GRANT, client_assertion_type: ASSERTION_TYPE };
    const client_assertion = await assertion(secureKey(), 'secure-agent', `${gate.issuer}${path}`);
    expect(await postToken(gate, { ...form, client_assertion }, await proven(gate))).toMatchObject({ status: 200 });
  });

  test('an assertion is good once, also when it comes five times at the same moment', async () => {
    const form = await assert();
    const proofs = await Promise.all(Array.from({ length: 5 }, () => proven(gate)));
    const replies = await Promise.all(proofs.map((proof) => postToken(gate, form, proof)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401]);
    const again = await postToken(gate, form, await proven(gate));
    expect(again).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  const HOUR = 3600;
  const past = Math.floor(Date.now() / 1000) - 120;
  test.each<[string, () => Promise<Record<string, string>>]>([
    ['has expired', () => assert({ exp: past })],
    ['is not good yet', () => assert({ nbf: past + HOUR })],
    ['never expires', () => assert({ exp: undefined })],
    ['lives a day', () => assert({ exp: past + 24 * HOUR })],
    ['has no id', () => assert({ jti: undefined })],
    ['is meant for somebody else', () => assert({ aud: 'https://evil.example' })],
    ['is meant for somebody else too', () => assert({ aud: [gate.issuer, 'https://evil.example'] })],
    ['is meant for nobody', () => assert({ aud: undefined })],
    ['names another issuer', () => assert({ iss: 'support-agent' })],
    [
      'was signed with another key',
      async () => ({ ...(await assert()), client_assertion: await assertion(foreignKey, 'secure-agent', gate.issuer) }),
    ],
    ['is not signed', async () => ({ ...(await assert()), client_assertion: unsigned({ alg: 'none' }, '') })],
    [
      'is signed with the public key as a secret',
      async () => ({ ...(await assert()), client_assertion: unsigned({ alg: 'HS256' }, String(secureKey().x)) }),
    ],
    [
      'belongs to a client with a secret',
      async () => ({
        ...(await assert()),
        client_assertion: await assertion(secureKey(), 'support-agent', gate.issuer),
      }),
    ],
    [
      'belongs to nobody',
      async () => ({ ...(await assert()), client_assertion: await assertion(secureKey(), 'nobody', gate.issuer) }),
    ],
  ])('an assertion that %s is invalid_client', async (_says, form) => {
    const reply = await postToken(gate, await form());
    expect(reply).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(gate.events.seen.at(-1)).toMatchObject({ data: { action: 'token.refused' } });
    expect(gate.events.seen.at(-1)?.subject).toBeUndefined();
  });

  const unsigned = (header: object, secret: string): string => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'secure-agent',
      sub: 'secure-agent',
      aud: gate.issuer,
      jti: String(Math.random()),
      exp: now + 60,
    };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${secret && createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
});

describe('scopes and resources', () => {
  const passive = 'customer:read ticket:read account:calculate sentiment:analyze';
  test.each<[string, Record<string, string>, string, string]>([
    ['no scope gives what only reads or computes', {}, passive, MCP],
    ['a blank scope too', { scope: '' }, passive, MCP],
    ['beyond the ceiling is dropped', { scope: 'customer:read customer:delete' }, 'customer:read', MCP],
    ['a sign-in is nothing for a machine', { scope: 'openid customer:read' }, 'customer:read', MCP],
    ['a trailing slash is the same resource', { resource: `${MCP}/`, scope: 'ticket:read' }, 'ticket:read', MCP],
    ['an upper-case host too', { resource: MCP.replace('http:', 'HTTP:'), scope: 'ticket:read' }, 'ticket:read', MCP],
  ])('%s', async (_says, form, scope, audience) => {
    const reply = await postToken(gate, { ...GRANT, ...form }, support());
    expect(reply).toMatchObject({ status: 200, body: { scope } });
    expect((await verified(reply.body.access_token, audience)).payload.aud).toBe(audience);
  });

  test.each<[string, [string, string][], string]>([
    ['nothing left of the scopes', [['scope', 'customer:delete data:export']], 'invalid_scope'],
    ['only a sign-in', [['scope', 'openid']], 'invalid_scope'],
    ['scopes that are no text', [['scope', 'customer:read\u0000']], 'invalid_scope'],
    ['nothing at a resource of ours', [['resource', 'http://127.0.0.1:4404/v1']], 'invalid_scope'],
    ['a resource that is none of ours', [['resource', 'https://evil.example/mcp']], 'invalid_target'],
    ['a resource that is no URI', [['resource', 'mcp']], 'invalid_target'],
    ['a resource with a fragment', [['resource', `${MCP}#x`]], 'invalid_target'],
    [
      'two resources',
      [
        ['resource', MCP],
        ['resource', 'http://127.0.0.1:4404/v1'],
      ],
      'invalid_target',
    ],
    [
      'one resource twice',
      [
        ['resource', MCP],
        ['resource', `${MCP}/`],
      ],
      'invalid_target',
    ],
  ])('%s is 400', async (_says, pairs, error) => {
    const reply = await postToken(gate, [['grant_type', 'client_credentials'], ...pairs], support());
    expect(reply).toMatchObject({ status: 400, body: { error } });
    expect(gate.events.seen.at(-1)).toMatchObject({
      subject: principalId('default', 'support-agent'),
      data: { action: 'token.refused', reason: expect.stringContaining(error) },
    });
  });
});

describe('a request that proves nothing', () => {
  const rows: [string, () => Record<string, string>, () => Record<string, string>, number, string][] = [
    ['a wrong secret', () => GRANT, () => basic('support-agent', 'pcs_wrong'), 401, 'invalid_client'],
    ['an empty secret', () => GRANT, () => basic('support-agent', ''), 400, 'invalid_request'],
    ['an unknown client', () => GRANT, () => basic('nobody', 'x'), 401, 'invalid_client'],
    ['a client id that SQL cannot hold', () => GRANT, () => basic('a\0b', 'x'), 400, 'invalid_request'],
    ['a client id of SQL', () => GRANT, () => basic("x' or '1'='1", 'x'), 401, 'invalid_client'],
    [
      "another client's secret",
      () => GRANT,
      () => basic('support-agent', gate.demo.clients['reporting-agent'].client_secret ?? ''),
      401,
      'invalid_client',
    ],
    [
      'a secret in the body',
      () => ({
        ...GRANT,
        client_id: 'support-agent',
        client_secret: gate.demo.clients['support-agent'].client_secret ?? '',
      }),
      () => ({}),
      401,
      'invalid_client',
    ],
    ['no client', () => GRANT, () => ({}), 400, 'invalid_request'],
    [
      'a public client that plays a machine',
      () => ({ ...GRANT, client_id: 'desktop' }),
      () => ({}),
      400,
      'unauthorized_client',
    ],
    [
      'a machine that plays a person',
      () => ({ grant_type: 'authorization_code', code: 'x', redirect_uri: 'https://x.example' }),
      support,
      400,
      'unauthorized_client',
    ],
    ['no grant type', () => ({ scope: 'customer:read' }), support, 400, 'invalid_request'],
    [
      'a grant that is not served',
      () => ({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }),
      support,
      400,
      'unsupported_grant_type',
    ],
    [
      'a password grant',
      () => ({ grant_type: 'password', username: 'sam', password: 'x' }),
      support,
      400,
      'unsupported_grant_type',
    ],
    ['a bearer token as authentication', () => GRANT, () => ({ authorization: 'Bearer x' }), 400, 'invalid_request'],
    ['broken base64', () => GRANT, () => ({ authorization: 'Basic %%%' }), 400, 'invalid_request'],
  ];
  test.each(rows)('%s is refused in JSON, whatever Accept prefers', async (_says, form, headers, status, error) => {
    const reply = await postToken(gate, form(), { ...headers(), accept: 'text/html' });
    expect(reply).toMatchObject({ status, body: { error, error_description: expect.any(String) } });
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    expect(reply.text).not.toMatch(/<|\bat \/|node_modules/);
    expect(gate.events.seen.at(-1)).toMatchObject({ data: { action: 'token.refused' } });
    if (error === 'invalid_client') expect(gate.events.seen.at(-1)?.subject).toBeUndefined();
  });

  test.each([
    ['JSON', 'application/json', '{"grant_type":"client_credentials"}'],
    ['plain text', 'text/plain', 'grant_type=client_credentials'],
    ['a megabyte', 'application/x-www-form-urlencoded', `grant_type=${'x'.repeat(1 << 20)}`],
  ])('%s in the body is invalid_request', async (_says, type, body) => {
    const headers = { ...support(), 'content-type': type };
    const response = await fetch(`${gate.issuer}/token`, { method: 'POST', headers, body });
    expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });
});

test('a secret, an assertion or a token is in no event and no line of the log', async () => {
  const [form, proof] = [await assert(), await proven(gate)];
  const tokens = [
    await postToken(gate, form, proof),
    await postToken(gate, GRANT, support()),
    await postToken(gate, form),
  ];
  const told = JSON.stringify(gate.events.seen) + gate.lines.join('\n');
  const secrets = [
    ...tokens.map(({ body }) => body.access_token),
    form.client_assertion,
    proof.dpop,
    gate.demo.clients['support-agent'].client_secret,
    secureKey().d,
  ].filter((one) => one !== undefined);
  expect(secrets).toHaveLength(6);
  for (const secret of secrets) expect(told).not.toContain(secret);
});

test('a secret in the place of the client or of the grant type is in no event', async () => {
  const { authorization } = support();
  const [, secret = ''] = Buffer.from(authorization.slice(6), 'base64').toString().split(':');
  await postToken(gate, GRANT, basic(secret, 'support-agent'));
  await postToken(gate, { grant_type: secret }, support());
  await postToken(gate, { ...GRANT, client_id: secret });
  for (const path of ['/revoke', '/introspect', '/par']) {
    await fetch(`${gate.issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ token: 'x', client_id: secret }),
    });
  }
  const events = gate.events.seen.slice(-6);
  expect(JSON.stringify(events)).not.toContain(secret);
  expect(events[1]).toMatchObject({ data: { clientId: 'support-agent', grantType: 'unknown' } });
  // that it was the same one each time can be told
  const named = events.slice(2).map(({ data }) => 'clientId' in data && data.clientId);
  expect(named[0]).toMatch(/^sha256:[0-9a-f]{16}$/);
  expect(new Set(named).size).toBe(1);
});

test('two Authorization headers are none that can be read', async () => {
  const form = String(new URLSearchParams(GRANT));
  const host = new URL(gate.issuer).host;
  const two = [support().authorization, basic('other', 'x').authorization].flatMap((one) => ['Authorization', one]);
  for (const headers of [two, [...two.slice(2), ...two.slice(0, 2)]]) {
    const status = await new Promise((resolve, reject) => {
      const all = ['Host', host, 'Content-Type', 'application/x-www-form-urlencoded', ...headers];
      const sent = request(`${gate.issuer}/token`, { method: 'POST', headers: all }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end(form);
    });
    expect(status).toBe(400);
    expect(gate.events.seen.at(-1)).toMatchObject({
      data: { action: 'token.refused', reason: expect.stringMatching(/^invalid_request: /) },
    });
  }
});

test('a token that cannot be put on record is not handed out', async () => {
  gate.events.state.full = true;
  try {
    const reply = await postToken(gate, GRANT, support());
    expect(reply).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(reply.text).not.toContain('access_token');
  } finally {
    gate.events.state.full = false;
  }
});
