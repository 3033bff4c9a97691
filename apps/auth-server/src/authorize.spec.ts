import { principalId } from '@portcullis/contract/ids';
import { accessTokenClaims } from '@portcullis/scopes/caller';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { Browser, formIn, pkce } from './browser.fixture.js';
import type { ClientRecord } from './clients.js';
import { sqlClients } from './clients.sql.js';
import { secretHash } from './client-secret.js';
import { keyBytes } from '@portcullis/service/key-text';
import { authorizeUrl, CALLBACK, exchange, grantAs, typed } from './flow.fixture.js';
import { basic, MCP, startGate, world, type Gate, postToken } from './gate.fixture.js';

const WEB = 'https://app.example/cb';
let gate: Gate;
/** the demo's people: role supervisor, agent-user, admin and responder */
const sam = () => gate.demo.users[0]!;
const uma = () => gate.demo.users[1]!;
const ada = () => gate.demo.users[2]!;

beforeAll(async () => {
  const of = await world();
  gate = await startGate(of);
  const web: ClientRecord = {
    tenant: 'default',
    clientId: 'web-app',
    name: 'Web <b>app</b>',
    authMethod: 'client_secret_basic',
    applicationType: 'web',
    secretHash: secretHash(keyBytes(of.keys.secretHash[0]), 'web-app', 'web secret'),
    previousSecret: undefined,
    jwks: undefined,
    jwksUri: undefined,
    dpopBound: false,
    requirePar: false,
    version: 1,
    redirectUris: [WEB],
    grantTypes: ['authorization_code'],
    scopes: ['customer:read', 'customer:delete', 'ticket:create', 'email:send'],
    demo: false,
    disabled: false,
    createdAt: 0,
  };
  await sqlClients(of.database).put('default', web);
  const elsewhere = {
    ...web,
    tenant: 'other',
    clientId: 'other-app',
    secretHash: undefined,
    authMethod: 'none' as const,
  };
  await sqlClients(of.database).put('other', elsewhere);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const webApp = { client_id: 'web-app', redirect_uri: WEB };
const asWebApp = () => basic('web-app', 'web secret');
const S256 = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });
const open = (params: Parameters<typeof authorizeUrl>[1]) => new Browser(gate.issuer).open(authorizeUrl(gate, params));

describe('a person and a public client', () => {
  test('sign in, say yes, and the code becomes a token of that person for that task', async () => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read customer:delete data:export', resource: MCP });
    expect(granted.pages).toHaveLength(2);
    expect(granted.pages[1]).toMatch(
      /Desktop assistant[^]*signed in as <strong>sam<[^]*Read one customer[^]*Delete customers/,
    );
    expect(granted.pages[1]).not.toContain('Export data sets');
    expect(granted.sentTo?.href.split('?')[0]).toBe(CALLBACK);
    expect(Object.fromEntries(granted.sentTo?.searchParams ?? [])).toEqual({
      code: granted.code,
      state: 's-1',
      iss: gate.issuer,
    });

    const reply = await exchange(gate, granted.code ?? '', granted.verifier, { resource: MCP });
    expect(reply).toMatchObject({ status: 200, body: { scope: 'customer:read customer:delete', expires_in: 900 } });
    expect(reply.body.refresh_token).toMatch(/^[\w-]{43}$/);
    const keys = createRemoteJWKSet(new URL(`${gate.issuer}/jwks`));
    const options = { issuer: gate.issuer, audience: MCP, typ: 'at+jwt', algorithms: ['ES256'] };
    const { payload } = await jwtVerify(String(reply.body.access_token), keys, options);
    const claims = accessTokenClaims.parse(payload);
    expect(claims).toMatchObject({
      sub: expect.stringMatching(/^usr_[a-z2-7]{26}$/),
      client_id: 'desktop',
      tenant: 'default',
      task: expect.stringMatching(/^tsk_[a-z2-7]{26}$/),
      ceiling:
        'customer:read customer:list customer:write customer:delete ticket:read ticket:create account:calculate sentiment:analyze',
    });
    expect(Math.abs(Date.now() / 1000 - (claims.auth_time ?? 0))).toBeLessThan(60);
    const subject = principalId('default', 'desktop', claims.sub);
    expect(gate.events.seen.slice(-3)).toMatchObject([
      { subject, data: { action: 'login.succeeded', sub: claims.sub, clientId: 'desktop' } },
      { subject, data: { action: 'consent.granted', scope: 'customer:read customer:delete', resource: MCP } },
      { subject, data: { action: 'token.issued', grantType: 'authorization_code', tokenId: claims.jti } },
    ]);
  });

  test('a request without scope gets what only reads or computes and the person may do', async () => {
    const granted = await grantAs(gate, uma());
    const reply = await exchange(gate, granted.code ?? '', granted.verifier);
    expect(reply.body.scope).toBe('customer:read ticket:read account:calculate sentiment:analyze');
    expect(decodeJwt(String(reply.body.access_token)).ceiling).toBe(
      'customer:read ticket:read ticket:create account:calculate sentiment:analyze',
    );
  });

  test('a person whose roles leave nothing is sent back with invalid_scope', async () => {
    const { sentTo } = await grantAs(gate, ada(), { scope: 'customer:read' });
    expect(Object.fromEntries(sentTo?.searchParams ?? [])).toMatchObject({ error: 'invalid_scope', iss: gate.issuer });
  });

  test('who is signed in is asked for consent only, and each yes is a task of its own', async () => {
    const first = await grantAs(gate, sam(), { scope: 'customer:read' });
    const { body } = await exchange(gate, first.code ?? '', first.verifier);
    const second = await grantAs(gate, sam(), { scope: 'customer:read' }, first.browser);
    expect(second.pages).toHaveLength(1);
    const { body: later } = await exchange(gate, second.code ?? '', second.verifier);
    const tasks = [body, later].map(({ access_token: token }) => decodeJwt(String(token)).task);
    expect(new Set(tasks).size).toBe(2);
  });

  test('max_age, with which an API asks for a fresh sign-in, asks for the password again', async () => {
    const first = await grantAs(gate, sam(), { scope: 'customer:read' });
    const again = await grantAs(gate, sam(), { scope: 'customer:delete', max_age: '300' }, first.browser);
    expect(again.pages).toHaveLength(2);
    expect(again.code).toBeDefined();
  });

  test('signing in as somebody else ends the session of the one before', async () => {
    const first = await grantAs(gate, sam(), { scope: 'ticket:create' });
    const other = await grantAs(gate, uma(), { scope: 'ticket:create', prompt: 'login' }, first.browser);
    const reply = await exchange(gate, other.code ?? '', other.verifier);
    expect(gate.events.seen.at(-1)).toMatchObject({ data: { action: 'token.issued' } });
    const [signedInFirst, signedInLast] = gate.events.seen
      .filter(({ data }) => 'action' in data && data.action === 'login.succeeded')
      .slice(-2)
      .map(({ data }) => 'sub' in data && data.sub);
    expect(signedInLast).not.toBe(signedInFirst);
    expect(decodeJwt(String(reply.body.access_token)).sub).toBe(signedInLast);
    const firstReply = await exchange(gate, first.code ?? '', first.verifier);
    expect(firstReply).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test.each([
    ['[::1]', 'http://[::1]:4711/callback'],
    ['localhost', 'http://localhost:9/oauth/callback'],
    ['no port', 'http://127.0.0.1/callback'],
  ])('a program that listens on loopback at %s gets its answer there', async (_says, redirect_uri) => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read', redirect_uri });
    expect(granted.sentTo?.href.split('?')[0]).toBe(redirect_uri);
    expect(await exchange(gate, granted.code ?? '', granted.verifier, { redirect_uri })).toMatchObject({ status: 200 });
  });

  test('signing in only gives an opaque token for /userinfo and an ID token, and no task', async () => {
    const granted = await grantAs(gate, sam(), { scope: 'openid profile', nonce: 'n-1' });
    const reply = await exchange(gate, granted.code ?? '', granted.verifier);
    expect(reply).toMatchObject({ status: 200, body: { scope: 'openid profile' } });
    expect(reply.body.access_token).not.toContain('.');
    expect(decodeJwt(String(reply.body.id_token))).toMatchObject({ iss: gate.issuer, aud: 'desktop', nonce: 'n-1' });
    const headers = { authorization: `Bearer ${String(reply.body.access_token)}` };
    const userinfo = await fetch(`${gate.issuer}/userinfo`, { headers });
    expect([userinfo.status, await userinfo.json()]).toMatchObject([200, { preferred_username: 'sam' }]);
    expect(JSON.stringify(gate.events.seen)).not.toContain(reply.body.access_token);
  });
});

describe('a person and a confidential client', () => {
  test("the same, with the client's own authentication, and no second question for what was allowed", async () => {
    const granted = await grantAs(gate, sam(), { ...webApp, scope: 'customer:read email:send' });
    expect(granted.pages[1]).toMatch(/Web &lt;b&gt;app&lt;\/b&gt;[^]*app\.example/);
    expect(granted.pages[1]).not.toContain('Send e-mail');
    const reply = await exchange(gate, granted.code ?? '', granted.verifier, { redirect_uri: WEB }, asWebApp());
    expect(reply).toMatchObject({ status: 200, body: { scope: 'customer:read' } });
    const again = await grantAs(gate, sam(), { ...webApp, scope: 'customer:read' }, granted.browser);
    expect(again.pages).toHaveLength(0);
  });

  test('a person of another tenant is unknown to the client, signed in or not', async () => {
    const params = { client_id: 'other-app', redirect_uri: WEB, scope: 'customer:read' };
    const { browser } = await grantAs(gate, sam(), { scope: 'customer:read' });
    for (const used of [browser, new Browser(gate.issuer)]) {
      const page = await used.open(authorizeUrl(gate, { ...params, ...S256() }));
      const failed = await used.submit(formIn(page.html), typed(sam()));
      expect(failed).toMatchObject({
        status: 400,
        html: expect.stringContaining('The user name or password is wrong.'),
      });
    }
  });
});

describe('PKCE', () => {
  const { challenge } = pkce();
  const wrong: [string, Record<string, string | undefined>][] = [
    ['none', {}],
    ['plain', { code_challenge: challenge, code_challenge_method: 'plain' }],
    ['no method, which would mean plain', { code_challenge: challenge }],
    ['a method without a challenge', { code_challenge_method: 'S256' }],
    ['a challenge of the wrong length', { code_challenge: 'x', code_challenge_method: 'S256' }],
  ];
  test.each(wrong)('%s is invalid_request, for a public and for a confidential client', async (_says, params) => {
    for (const client of [{}, webApp]) {
      const { sentTo } = await open({ ...client, ...params });
      expect(Object.fromEntries(sentTo?.searchParams ?? [])).toMatchObject({
        error: 'invalid_request',
        state: 's-1',
        iss: gate.issuer,
      });
    }
  });

  test.each([
    ['another verifier', 'x'.repeat(43)],
    ['no verifier', ''],
    ['a verifier of the wrong form', 'x'],
  ])('%s at /token is refused', async (_says, verifier) => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
    const reply = await exchange(gate, granted.code ?? '', verifier);
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatch(/^invalid_(grant|request)$/);
  });
});

describe('a code', () => {
  test('is good once; using it again ends the grant', async () => {
    const { code = '', verifier } = await grantAs(gate, sam(), { scope: 'customer:read' });
    const replies = await Promise.all([1, 2, 3, 4].map(() => exchange(gate, code, verifier)));
    // one gets tokens, or none: the second use may end the grant before the first has all of its own
    const given = replies.filter(({ status }) => status === 200);
    expect(given.length).toBeLessThanOrEqual(1);
    expect(replies.filter(({ status }) => status === 400)).toHaveLength(4 - given.length);
    for (const { body } of given) {
      const refresh = { grant_type: 'refresh_token', client_id: 'desktop', refresh_token: String(body.refresh_token) };
      expect(await postToken(gate, refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    expect(await exchange(gate, code, verifier)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(JSON.stringify(gate.events.seen) + gate.lines.join()).not.toContain(code);
  });

  const rows: [string, (code: string, verifier: string) => ReturnType<typeof exchange>, string][] = [
    ['another client', (code, verifier) => exchange(gate, code, verifier, {}, asWebApp()), 'invalid_grant'],
    [
      'another redirect URI',
      (code, verifier) => exchange(gate, code, verifier, { redirect_uri: 'http://127.0.0.1:1/callback' }),
      'invalid_grant',
    ],
    ['no redirect URI', (code, verifier) => exchange(gate, code, verifier, { redirect_uri: '' }), 'invalid_request'],
    [
      'another resource',
      (code, verifier) => exchange(gate, code, verifier, { resource: 'http://127.0.0.1:4404/v1' }),
      'invalid_target',
    ],
    [
      'an unknown resource',
      (code, verifier) => exchange(gate, code, verifier, { resource: 'https://evil.example' }),
      'invalid_target',
    ],
    ['a code that nobody gave', (_code, verifier) => exchange(gate, 'x', verifier), 'invalid_grant'],
  ];
  test.each(rows)('with %s is refused', async (_says, redeem, error) => {
    const { code = '', verifier } = await grantAs(gate, sam(), { scope: 'customer:read' });
    expect(await redeem(code, verifier)).toMatchObject({ status: 400, body: { error } });
  });

  test('of a request with a trailing slash in its resource may be redeemed without, and the other way round', async () => {
    for (const [asked, redeemed] of [
      [`${MCP}/`, MCP],
      [MCP, `${MCP}/`],
    ] as const) {
      const { code = '', verifier } = await grantAs(gate, sam(), { scope: 'customer:read', resource: asked });
      const reply = await exchange(gate, code, verifier, { resource: redeemed });
      expect(decodeJwt(String(reply.body.access_token)).aud).toBe(MCP);
    }
  });

  test('is worth only what the person may still do when it is redeemed', async () => {
    const { code = '', verifier } = await grantAs(gate, sam(), { scope: 'customer:read customer:delete' });
    const users = gate.database.everyTenant<{ users: { username: string; roles: string } }>('auth');
    const set = (roles: string[]) =>
      users
        .updateTable('users')
        .set({ roles: JSON.stringify(roles) })
        .where('username', '=', 'sam')
        .execute();
    await set(['agent-user']);
    const reply = await exchange(gate, code, verifier);
    await set(['supervisor']);
    expect(reply.body.scope).toBe('customer:read');
  });
});

describe('a request that must not be answered by redirect', () => {
  test.each<[string, Parameters<typeof authorizeUrl>[1]]>([
    ['a redirect URI on another path', { redirect_uri: 'http://127.0.0.1:53211/elsewhere' }],
    ['a redirect URI of somebody else', { redirect_uri: 'https://evil.example/callback' }],
    ['a redirect URI that begins like ours', { redirect_uri: 'http://127.0.0.1.evil.example/callback' }],
    ['a redirect URI that hides its host', { redirect_uri: 'http://127.0.0.1:1@evil.example/callback' }],
    ['no redirect URI', { redirect_uri: undefined }],
    ['two redirect URIs', { redirect_uri: [CALLBACK, 'https://evil.example'] }],
    ['an unknown client', { client_id: '"><script>alert(1)</script>' }],
    ['no client', { client_id: undefined }],
  ])('%s is a plain page', async (_says, params) => {
    const page = await open({ ...S256(), ...params });
    expect(page.status).toBe(400);
    expect(page.headers.get('location')).toBeNull();
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(page.html).not.toMatch(/<script|\bat \/|node_modules|oops/);
  });
});

describe('a request that is answered by redirect', () => {
  test.each<[string, string, Parameters<typeof authorizeUrl>[1]]>([
    ['response_type token', 'unsupported_response_type', { response_type: 'token' }],
    ['response_type id_token', 'unsupported_response_type', { response_type: 'id_token', scope: 'openid', nonce: 'n' }],
    ['response_type none', 'unsupported_response_type', { response_type: 'none' }],
    ['an unknown resource', 'invalid_target', { resource: 'https://evil.example' }],
    ['two resources', 'invalid_target', { resource: [MCP, 'http://127.0.0.1:4404/v1'] }],
    ['nothing left of the scopes', 'invalid_scope', { scope: 'data:export' }],
    ['two states', 'invalid_request', { state: ['a', 'b'] }],
    ['a request object', 'request_not_supported', { request: 'e30.e30.' }],
    ['prompt none when nobody is signed in', 'login_required', { prompt: 'none', scope: 'customer:read' }],
  ])('%s is %s', async (_says, error, params) => {
    const { sentTo } = await open({ ...S256(), ...params });
    const fields = Object.fromEntries([...(sentTo?.searchParams ?? []), ...new URLSearchParams(sentTo?.hash.slice(1))]);
    expect(fields).toMatchObject({ error, iss: gate.issuer });
    expect(fields).not.toHaveProperty('code');
  });
});
