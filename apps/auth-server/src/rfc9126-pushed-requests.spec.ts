import { askAdmin } from './admin.fixture.js';
import { artefactHash } from './artefacts.js';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { exchange, typed } from './flow.fixture.js';
import { adminToken, basic, jsonOf, MCP, startGate, world, type Gate } from './gate.fixture.js';
import { AUTH, type AuthTables } from './tables.js';

const CALLBACK = 'https://app.example/cb';
let gate: Gate;
let skew = 0;
/** a confidential client that must push, one that may, a public one that must */
let must: Client, may: Client, open: Client;
interface Client {
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly form: Record<string, string>;
}

beforeAll(async () => {
  gate = await startGate(await world(), { now: () => Date.now() + skew });
  const token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
  const add = async (method: string, push: boolean): Promise<Client> => {
    const { body } = await askAdmin(gate, token, 'POST', '/clients', {
      name: `App ${method}`,
      auth_method: method,
      scopes: ['customer:read', 'ticket:read'],
      redirect_uris: [CALLBACK],
      require_pushed_authorization_requests: push,
      dpop_bound_access_tokens: false,
    });
    const id = String(body.client_id);
    return method === 'none'
      ? { id, headers: {}, form: { client_id: id } }
      : { id, headers: basic(id, String(body.client_secret)), form: {} };
  };
  [must, may, open] = [
    await add('client_secret_basic', true),
    await add('client_secret_basic', false),
    await add('none', true),
  ];
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});
afterEach(() => {
  skew = 0;
});

const { verifier, challenge } = pkce();
const request = { response_type: 'code', redirect_uri: CALLBACK, state: 's-1', code_challenge: challenge };
const asked = { ...request, code_challenge_method: 'S256', scope: 'customer:read' };

async function push(client: Client, form: Record<string, string> = asked, headers = client.headers) {
  // as a parameter of the authorization request too, whatever the client proves itself by (§2.1)
  const body = new URLSearchParams({ client_id: client.id, ...form });
  const response = await fetch(`${gate.issuer}/par`, { method: 'POST', headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: jsonOf(text), text };
}
const uriOf = async (client: Client, form?: Record<string, string>) =>
  String((await push(client, form)).body.request_uri);
const at = (params: Record<string, string>) => `${gate.issuer}/authorize?${new URLSearchParams(params)}`;

/** Through the pages, as far as they go. */
async function through(url: string, browser = new Browser(gate.issuer)) {
  let page = await browser.open(url);
  const pages: string[] = [];
  for (let turns = 0; page.sentTo === undefined && page.status === 200 && turns < 4; turns += 1) {
    pages.push(page.html);
    const form = formIn(page.html);
    const fields = form.action.endsWith('/login') ? typed(gate.demo.users[0]!) : { decision: 'allow' };
    page = await browser.submit(form, fields);
  }
  return { ...page, pages, code: page.sentTo?.searchParams.get('code') ?? undefined };
}

describe('a request that is pushed', () => {
  test('is answered with a request_uri of 60 s that nobody can guess (§2.2)', async () => {
    const reply = await push(may);
    expect(reply).toMatchObject({
      status: 201,
      body: { request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{43}$/), expires_in: 60 },
    });
    expect(reply.headers.get('cache-control')).toContain('no-store');
    expect(gate.events.seen.at(-1)).toMatchObject({
      subject: expect.any(String),
      data: { action: 'request.pushed', clientId: may.id },
    });
    expect(JSON.stringify(gate.events.seen) + gate.lines.join()).not.toContain(String(reply.body.request_uri));
  });

  test.each([
    ['a confidential client', () => must],
    ['a public client', () => open],
    ['a client that need not push', () => may],
  ])('by %s leads to its code, and from there to a token', async (_says, of) => {
    const client = of();
    const done = await through(at({ client_id: client.id, request_uri: await uriOf(client) }));
    expect(done.sentTo?.href).toMatch(new RegExp(`^${CALLBACK}\\?code=`));
    expect(done.sentTo?.searchParams.get('state')).toBe('s-1');
    expect(done.sentTo?.searchParams.get('iss')).toBe(gate.issuer);
    const form = { redirect_uri: CALLBACK, ...client.form };
    expect(await exchange(gate, done.code ?? '', verifier, form, client.headers)).toMatchObject({
      status: 200,
      body: { scope: 'customer:read' },
    });
  });

  test('without scope and resource gets the defaults, and what is spelled otherwise is taken as meant', async () => {
    const { scope: _scope, ...rest } = asked;
    const done = await through(at({ client_id: may.id, request_uri: await uriOf(may, rest) }));
    const token = await exchange(gate, done.code ?? '', verifier, { redirect_uri: CALLBACK }, may.headers);
    expect(token).toMatchObject({ status: 200, body: { scope: 'customer:read ticket:read' } });
    const slashed = await through(
      at({ client_id: may.id, request_uri: await uriOf(may, { ...asked, resource: `${MCP}/` }) }),
    );
    const form = { redirect_uri: CALLBACK, resource: MCP };
    expect(await exchange(gate, slashed.code ?? '', verifier, form, may.headers)).toMatchObject({ status: 200 });
  });

  test('with max_age asks for the password again', async () => {
    const browser = new Browser(gate.issuer);
    await through(at({ client_id: may.id, request_uri: await uriOf(may) }), browser);
    const again = await through(
      at({ client_id: may.id, request_uri: await uriOf(may, { ...asked, max_age: '0' }) }),
      browser,
    );
    expect(again.pages[0]).toContain('name="password"');
  });

  test('counts as it was pushed: parameters beside the request_uri change nothing (§4, RFC 9101 §6.3)', async () => {
    const beside = {
      redirect_uri: 'https://evil.example/cb',
      scope: 'ticket:read',
      state: 'other',
      code_challenge: 'x',
    };
    const uri = await uriOf(may);
    const done = await through(at({ client_id: may.id, request_uri: uri, ...beside }));
    expect(done.sentTo?.origin + (done.sentTo?.pathname ?? '')).toBe(CALLBACK);
    expect(done.sentTo?.searchParams.get('state')).toBe('s-1');
    expect(await exchange(gate, done.code ?? '', verifier, { redirect_uri: CALLBACK }, may.headers)).toMatchObject({
      body: { scope: 'customer:read' },
    });
  });
});

describe('a request_uri', () => {
  /** It stops at a page of ours: nothing says yet that the redirect_uri is the client's. */
  const stops = async (params: Record<string, string>) => {
    const page = await new Browser(gate.issuer).open(at(params));
    expect([page.status, page.sentTo]).toEqual([400, undefined]);
    expect(page.html).not.toMatch(/\bat \/|node_modules/);
    return page.html;
  };

  test('is used once (§7.3)', async () => {
    const params = { client_id: may.id, request_uri: await uriOf(may) };
    expect((await through(at(params))).code).toBeDefined();
    expect(await stops(params)).toContain('invalid_request_uri');
  });

  test('is begun within 60 s (§2.2)', async () => {
    const params = { client_id: may.id, request_uri: await uriOf(may) };
    const { now } = Date;
    // oidc-provider reads no clock but the system's; it lets two clocks differ by no second here
    Date.now = () => now() + 61_000;
    const page = await stops(params).finally(() => void (Date.now = now));
    expect(page).toContain('invalid_request_uri');
  });

  test('that nobody begins is kept for no longer, and one that is begun until it can be answered', async () => {
    const lives = async (uri: string) => {
      const db = gate.database.everyTenant<AuthTables>(AUTH);
      const idHash = artefactHash(uri.slice('urn:ietf:params:oauth:request_uri:'.length));
      const row = await db
        .selectFrom('artefacts')
        .select('expires_at')
        .where('kind', '=', 'PushedAuthorizationRequest')
        .where('id_hash', '=', idHash)
        .executeTakeFirstOrThrow();
      return row.expires_at.getTime() - Date.now();
    };
    const request_uri = await uriOf(may);
    expect(await lives(request_uri)).toBeLessThanOrEqual(60_000);
    await new Browser(gate.issuer).open(at({ client_id: may.id, request_uri }));
    expect(await lives(request_uri)).toBeGreaterThan(60_000);
  });

  test('that two browsers began at once gives one code, however long they take', async () => {
    const params = { client_id: may.id, request_uri: await uriOf(may) };
    const browsers = [new Browser(gate.issuer), new Browser(gate.issuer)];
    const begun = await Promise.all(browsers.map((browser) => browser.open(at(params))));
    const consents = await Promise.all(
      begun.map(({ html }, i) => browsers[i]!.submit(formIn(html), typed(gate.demo.users[0]!))),
    );
    skew = 61_000;
    const done = await Promise.all(
      consents.map(({ html }, i) => browsers[i]!.submit(formIn(html), { decision: 'allow' })),
    );
    const codes = done.map(({ sentTo }) => sentTo?.searchParams.get('code')).filter(Boolean);
    expect(codes).toHaveLength(1);
  });

  test('is for the client that pushed it (§2.2)', async () => {
    const request_uri = await uriOf(may);
    expect(await stops({ client_id: must.id, request_uri })).not.toContain('code=');
    expect((await through(at({ client_id: may.id, request_uri }))).code).toBeDefined();
  });

  test.each([
    ['of nobody', 'urn:ietf:params:oauth:request_uri:nobody', 'invalid_request_uri'],
    ['of another kind', 'urn:example:x', 'request_uri_not_supported'],
    // it would have us fetch what somebody else names
    ['on the network', 'https://evil.example/request.jwt', 'request_uri_not_supported'],
    ['on this machine', 'http://127.0.0.1:1/', 'request_uri_not_supported'],
  ])('%s leads nowhere', async (_says, request_uri, error) => {
    expect(await stops({ client_id: may.id, request_uri })).toContain(error);
  });
});

describe('a client that must push (§6)', () => {
  test.each([
    ['confidential', () => must],
    ['public', () => open],
  ])('and does not is told so: %s', async (_says, of) => {
    const page = await new Browser(gate.issuer).open(at({ client_id: of().id, ...asked }));
    expect(page.sentTo?.searchParams.get('code') ?? undefined).toBeUndefined();
    expect(page.sentTo?.searchParams.get('error') ?? page.html).toContain('invalid_request');
  });
});

describe('what is pushed', () => {
  test.each<[string, () => Promise<{ status: number; body: object }>, number, string]>([
    ['without authentication', () => push(must, { ...asked, client_id: must.id }, {}), 401, 'invalid_client'],
    ['with a wrong secret', () => push(must, asked, basic(must.id, 'wrong')), 401, 'invalid_client'],
    ['with a request_uri', () => push(may, { ...asked, request_uri: 'urn:x' }), 400, 'request_uri_not_supported'],
    ['with a request object', () => push(may, { request: 'e30.e30.' }), 400, 'request_not_supported'],
    ['for another client', () => push(may, { ...asked, client_id: must.id }), 400, 'invalid_request'],
    [
      'with a redirect of nobody',
      () => push(may, { ...asked, redirect_uri: 'https://evil.example/' }),
      400,
      'invalid_request',
    ],
    ['without PKCE', () => push(may, { response_type: 'code', redirect_uri: CALLBACK }), 400, 'invalid_request'],
    ['with plain PKCE', () => push(may, { ...asked, code_challenge_method: 'plain' }), 400, 'invalid_request'],
    ['without its client_id', () => push(may, { ...asked, client_id: '' }), 400, 'invalid_request'],
    ['for an implicit token', () => push(may, { ...asked, response_type: 'token' }), 400, 'unsupported_response_type'],
    [
      'for a resource of nobody',
      () => push(may, { ...asked, resource: 'https://evil.example/' }),
      400,
      'invalid_target',
    ],
    [
      'with more than 8 KiB in all',
      () => push(may, { ...asked, state: 'x'.repeat(4200), nonce: 'x'.repeat(4200) }),
      400,
      'invalid_request',
    ],
    ['beyond the ceiling', () => push(may, { ...asked, scope: 'email:send' }), 400, 'invalid_scope'],
  ])('%s is refused in JSON and on record (§2.3)', async (_says, pushing, status, error) => {
    const before = gate.events.seen.length;
    expect(await pushing()).toMatchObject({ status, body: { error } });
    expect(gate.events.seen.slice(before)).toMatchObject([
      { data: { action: 'request.refused', reason: expect.stringContaining(error) } },
    ]);
  });

  test('by GET is no request', async () => {
    expect((await fetch(`${gate.issuer}/par`)).status).toBe(404);
  });

  test('and cannot be put on record is not taken', async () => {
    gate.events.state.full = true;
    const reply = await push(may);
    gate.events.state.full = false;
    expect(reply).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(reply.text).not.toContain('request_uri');
  });
});
