import { keyBytes } from '@portcullis/service/key-text';
import { decodeJwt } from 'jose';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { secretHash } from './client-secret.js';
import type { ClientRecord } from './clients.js';
import { sqlClients } from './clients.sql.js';
import { authorizeUrl, CALLBACK, exchange, grantAs, typed } from './flow.fixture.js';
import { basic, jsonOf, MCP, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';

// What RFC 6749 asks of every request and answer at the two endpoints, whatever the grant.
let gate: Gate;
/** how far the server's clock is ahead, ms */
let ahead = 0;
const WEB = 'https://app.example/callback?keep=1';
beforeAll(async () => {
  const of = await world();
  gate = await startGate(of, { now: () => Date.now() + ahead });
  const web: ClientRecord = {
    tenant: 'default',
    clientId: 'web-app',
    name: 'Web app',
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
    grantTypes: ['authorization_code', 'refresh_token'],
    scopes: ['customer:read'],
    demo: false,
    disabled: false,
    createdAt: 0,
  };
  await sqlClients(of.database).put('default', web);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const sam = () => gate.demo.users[0]!;
const support = () => secretOf(gate.demo, 'support-agent');
const asWebApp = () => basic('web-app', 'web secret');
const S256 = () => ({ code_challenge: pkce().challenge, code_challenge_method: 'S256' });
const open = (params: Parameters<typeof authorizeUrl>[1]) => new Browser(gate.issuer).open(authorizeUrl(gate, params));
const MACHINE = { grant_type: 'client_credentials' };
const machine = (form: Record<string, string> | [string, string][]) => postToken(gate, form, support());

describe('a parameter of an authorization request (§3.1)', () => {
  test('that nobody knows is ignored', async () => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read', flavour: 'vanilla', 'x[y]': '1' });
    expect(granted.code).toBeDefined();
    expect(granted.sentTo?.searchParams.has('flavour')).toBe(false);
  });

  test('without a value counts as left out', async () => {
    const granted = await grantAs(gate, sam(), { scope: '', state: '', nonce: '', prompt: '', resource: '' });
    expect(granted.sentTo?.searchParams.has('state')).toBe(false);
    const bare = await grantAs(gate, sam());
    const replies = [granted, bare].map(({ code = '', verifier }) => exchange(gate, code, verifier));
    const [scope, without] = (await Promise.all(replies)).map(({ body }) => body.scope);
    expect(without).toMatch(/^customer:read /);
    expect(scope).toBe(without);
    expect((await open({ ...S256(), redirect_uri: '' })).status).toBe(400);
    expect((await open({ ...S256(), response_type: '' })).sentTo?.searchParams.get('error')).toBe('invalid_request');
  });

  test.each([['response_type'], ['scope'], ['state'], ['code_challenge'], ['code_challenge_method'], ['nonce']])(
    'is refused when it comes twice: %s',
    async (name) => {
      const all: Record<string, string> = { ...S256(), response_type: 'code', scope: 'openid', state: 's', nonce: 'n' };
      const { sentTo } = await open({ ...all, [name]: [all[name] ?? '', all[name] ?? ''] });
      expect(sentTo?.searchParams.get('error')).toBe('invalid_request');
      expect(sentTo?.searchParams.has('code')).toBe(false);
    },
  );
});

describe('an authorization answer (§4.1.2)', () => {
  test.each([['s p a c e s + plus'], ['a&b=c#d?e%41'], ['"<script>\\é€😀'], ['x'.repeat(1500)]])(
    'gives state back exactly: %s',
    async (state) => {
      const granted = await grantAs(gate, sam(), { scope: 'customer:read', state });
      expect(granted.sentTo?.searchParams.get('state')).toBe(state);
      const refused = await open({ ...S256(), state, scope: 'data:export' });
      expect(Object.fromEntries(refused.sentTo?.searchParams ?? [])).toMatchObject({ error: 'invalid_scope', state });
    },
  );

  test('keeps the query of the redirect URI that was registered', async () => {
    const granted = await grantAs(gate, sam(), { client_id: 'web-app', redirect_uri: WEB, scope: 'customer:read' });
    expect(granted.sentTo?.href.split('code=')[0]).toMatch(/^https:\/\/app\.example\/callback\?keep=1&/);
    const answer = Object.fromEntries(granted.sentTo?.searchParams ?? []);
    expect(answer).toEqual({ keep: '1', code: expect.any(String), state: 's-1', iss: gate.issuer });
  });

  test('has a code of at least 128 bits that is no token and never the same', async () => {
    const codes = [];
    const browser = new Browser(gate.issuer);
    for (let i = 0; i < 3; i += 1) codes.push((await grantAs(gate, sam(), { scope: 'customer:read' }, browser)).code);
    for (const code of codes) expect(code).toMatch(/^[\w-]{22,}$/);
    expect(new Set(codes).size).toBe(3);
  });

  test('has a code that is good for a minute', async () => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
    ahead = 61_000;
    try {
      const late = await exchange(gate, granted.code ?? '', granted.verifier);
      expect(late).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    } finally {
      ahead = 0;
    }
  });

  test('a request without a response type is an error for the client', async () => {
    const { sentTo } = await open({ ...S256(), response_type: undefined });
    expect(Object.fromEntries(sentTo?.searchParams ?? [])).toMatchObject({ error: 'invalid_request', state: 's-1' });
  });
});

describe('a parameter of a token request (§3.2)', () => {
  test('that nobody knows is ignored, and one without a value counts as left out', async () => {
    const reply = await machine({ ...MACHINE, flavour: 'vanilla', scope: '', resource: '', client_id: '' });
    expect(reply).toMatchObject({ status: 200 });
    expect(decodeJwt(String(reply.body.access_token)).aud).toBe(MCP);
    expect(await machine({ grant_type: '' })).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test.each([['grant_type'], ['scope'], ['client_id'], ['client_secret'], ['client_assertion']])(
    'is refused when it comes twice: %s',
    async (name) => {
      const given = { ...MACHINE, scope: 'customer:read', client_id: 'support-agent' };
      const value = new Map(Object.entries(given)).get(name) ?? 'x';
      const reply = await machine([...Object.entries(given), [name, value], [name, value]]);
      expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    },
  );

  test.each([['code'], ['redirect_uri'], ['code_verifier']])(
    'of a code is refused when it comes twice: %s',
    async (name) => {
      const { code = '', verifier } = await grantAs(gate, sam(), { scope: 'customer:read' });
      const given = { code, code_verifier: verifier, redirect_uri: CALLBACK, client_id: 'desktop' };
      const pairs = Object.entries({ grant_type: 'authorization_code', ...given });
      const reply = await postToken(gate, [...pairs, ...pairs.filter(([each]) => each === name)]);
      expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    },
  );

  test('is not looked for in the URL, above all no secret (§2.3.1)', async () => {
    const secret = gate.demo.clients['support-agent'].client_secret ?? '';
    const query = new URLSearchParams({ ...MACHINE, client_id: 'support-agent', client_secret: secret });
    const response = await fetch(`${gate.issuer}/token?${query}`, {
      method: 'POST',
      body: new URLSearchParams(MACHINE),
    });
    expect([response.status, jsonOf(await response.text())]).toMatchObject([400, { error: 'invalid_request' }]);
  });
});

describe('who asks for a token (§2.3, §3.2.1)', () => {
  test('proves it in one way only', async () => {
    const secret = gate.demo.clients['support-agent'].client_secret ?? '';
    const reply = await machine({ ...MACHINE, client_id: 'support-agent', client_secret: secret });
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('has to prove it when it can, its id alone is no proof', async () => {
    const granted = await grantAs(gate, sam(), { client_id: 'web-app', redirect_uri: WEB, scope: 'customer:read' });
    const form = { redirect_uri: WEB, client_id: 'web-app' };
    const bare = await exchange(gate, granted.code ?? '', granted.verifier, form);
    expect(bare).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const wrong = await exchange(gate, granted.code ?? '', granted.verifier, form, basic('web-app', 'wrong'));
    expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const good = await exchange(gate, granted.code ?? '', granted.verifier, { redirect_uri: WEB }, asWebApp());
    expect(good.status).toBe(200);
  });

  test('has to prove it again to refresh (§6)', async () => {
    const granted = await grantAs(gate, sam(), { client_id: 'web-app', redirect_uri: WEB, scope: 'customer:read' });
    const first = await exchange(gate, granted.code ?? '', granted.verifier, { redirect_uri: WEB }, asWebApp());
    const form = { grant_type: 'refresh_token', refresh_token: String(first.body.refresh_token) };
    for (const [more, headers] of [
      [{ client_id: 'web-app' }, {}],
      [{}, basic('web-app', 'wrong')],
    ] as const) {
      const refused = await postToken(gate, { ...form, ...more }, headers);
      expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    }
    expect(await postToken(gate, form, asWebApp())).toMatchObject({ status: 200, body: { scope: 'customer:read' } });
  });

  test('is named in the request when it is a public client', async () => {
    const { code = '', verifier } = await grantAs(gate, sam(), { scope: 'customer:read' });
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK };
    expect(await postToken(gate, form)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('is told the scheme when it failed with an Authorization header (§5.2)', async () => {
    const reply = await postToken(gate, MACHINE, basic('support-agent', 'wrong'));
    expect(reply).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(reply.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
  });

  test('may have characters in its credentials that need encoding (appendix B)', async () => {
    const plain = `Basic ${Buffer.from('support%2Dagent:wrong').toString('base64')}`;
    expect(await postToken(gate, MACHINE, { authorization: plain })).toMatchObject({ status: 401 });
    const [id, secret] = ['support-agent', gate.demo.clients['support-agent'].client_secret ?? ''];
    const encoded = `${id.replace('-', '%2D')}:${secret.replace('_', '%5F')}`;
    const authorization = `Basic ${Buffer.from(encoded).toString('base64')}`;
    expect(await postToken(gate, MACHINE, { authorization })).toMatchObject({ status: 200 });
  });
});

describe('a token answer (§5)', () => {
  test('is JSON that nobody may keep, granted or refused', async () => {
    for (const reply of [await machine(MACHINE), await machine({ ...MACHINE, scope: 'data:export' })]) {
      expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
      expect(reply.headers.get('cache-control')).toBe('no-store');
      expect(reply.headers.get('pragma')).toBe('no-cache');
    }
  });

  test('says which scope was granted when it is not what was asked for (§3.3)', async () => {
    const reply = await machine({ ...MACHINE, scope: 'customer:read customer:delete' });
    expect(reply.body).toMatchObject({ scope: 'customer:read', token_type: 'Bearer', expires_in: 900 });
  });

  test('for a machine has no refresh token (§4.4.3)', async () => {
    expect(Object.keys((await machine(MACHINE)).body).sort()).toEqual([
      'access_token',
      'expires_in',
      'scope',
      'token_type',
    ]);
  });

  const hostile = 'a"b\\c\u0007é€\r\nx: y';
  test.each<[string, Record<string, string>]>([
    ['grant type', { grant_type: hostile }],
    ['scope', { ...MACHINE, scope: hostile }],
    ['resource', { ...MACHINE, resource: hostile }],
    ['assertion', { ...MACHINE, client_assertion: hostile, client_assertion_type: hostile }],
    ['code', { grant_type: 'authorization_code', code: hostile, redirect_uri: hostile, code_verifier: hostile }],
  ])('of an error holds only the characters that are allowed, whatever the %s (§5.2)', async (_says, form) => {
    const { body, status } = await machine(form);
    expect(status).toBeGreaterThanOrEqual(400);
    for (const word of [body.error, body.error_description]) expect(word).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(body.error_uri).toBeUndefined();
  });

  test.each([['response_type'], ['scope'], ['resource'], ['prompt'], ['response_mode'], ['code_challenge_method']])(
    'neither does one to an authorization request, whatever the %s (§4.1.2.1)',
    async (name) => {
      const { sentTo } = await open({ ...S256(), [name]: hostile });
      const fields = Object.fromEntries([...(sentTo?.searchParams ?? [])]);
      expect(fields.error).toMatch(/^[a-z_]+$/);
      expect(fields.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      expect(fields).not.toHaveProperty('error_uri');
    },
  );
});

test('a person is shown who asks, for what, and has to say yes before a code is given (§10.12)', async () => {
  const browser = new Browser(gate.issuer);
  const login = await browser.open(authorizeUrl(gate, { ...S256(), scope: 'customer:read' }));
  expect([login.sentTo, login.html.includes('type="password"')]).toEqual([undefined, true]);
  const consent = await browser.submit(formIn(login.html), typed(sam()));
  expect([consent.sentTo, consent.html.includes('Desktop assistant')]).toEqual([undefined, true]);
  // looking at the page again is no yes
  expect((await browser.open(formIn(consent.html).action.replace('/consent', ''))).sentTo).toBeUndefined();
  const { sentTo } = await browser.submit(formIn(consent.html), { decision: 'allow' });
  expect(sentTo?.searchParams.get('code')).toBeTruthy();
});
