import { addPublicClients, expectBad, trap, twice, WEB, type BadRow, type Trap } from './bad-input.fixture.js';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { CALLBACK, grantAs } from './flow.fixture.js';
import { assertion, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';

// What is sent to the smaller endpoints: /par, /revoke, /introspect, /logout.
let gate: Gate;
let snare: Trap;
beforeAll(async () => {
  gate = await startGate(await world());
  snare = await trap();
  await addPublicClients(gate);
}, 60_000);
afterAll(async () => {
  expect(snare.visits()).toBe(0);
  await snare.close();
  await gate.close();
  await gate.database.close();
});

const sam = () => gate.demo.users[0]!;
const support = () => secretOf(gate.demo, 'support-agent');

const pushed = {
  client_id: 'desktop',
  response_type: 'code',
  redirect_uri: CALLBACK,
  scope: 'customer:read',
  code_challenge: pkce().challenge,
  code_challenge_method: 'S256',
};
const push = (change: Record<string, string>) => () => ({ form: { ...pushed, ...change } });
const PUSHED: BadRow[] = [
  ['no client', 'POST', '/par', () => ({ form: { response_type: 'code' } }), 400, 'invalid_request'],
  ['an unknown client', 'POST', '/par', push({ client_id: 'nobody' }), 401, 'invalid_client'],
  ['a disabled client', 'POST', '/par', push({ client_id: 'off', redirect_uri: WEB }), 401, 'invalid_client'],
  ['a client without its secret', 'POST', '/par', push({ client_id: 'support-agent' }), 401, 'invalid_client'],
  [
    'a redirect URI of somebody else',
    'POST',
    '/par',
    push({ redirect_uri: 'https://evil.example' }),
    400,
    'invalid_request',
  ],
  ['a redirect URI of another client', 'POST', '/par', push({ redirect_uri: WEB }), 400, 'invalid_request'],
  ['no redirect URI', 'POST', '/par', push({ redirect_uri: '' }), 400, 'invalid_request'],
  ['no challenge', 'POST', '/par', push({ code_challenge: '' }), 400, 'invalid_request'],
  ['the challenge method plain', 'POST', '/par', push({ code_challenge_method: 'plain' }), 400, 'invalid_request'],
  ['an implicit grant', 'POST', '/par', push({ response_type: 'token' }), 400, 'unsupported_response_type'],
  [
    'a request that lies elsewhere',
    'POST',
    '/par',
    () => push({ request_uri: snare.url })(),
    400,
    'request_uri_not_supported',
  ],
  [
    'a request that was pushed before',
    'POST',
    '/par',
    push({ request_uri: 'urn:ietf:params:oauth:request_uri:x' }),
    400,
    'request_uri_not_supported',
  ],
  ['a request object', 'POST', '/par', push({ request: 'e30.e30.' }), 400, 'request_not_supported'],
  ['a resource of somebody else', 'POST', '/par', push({ resource: 'https://evil.example' }), 400, 'invalid_target'],
  ['a scope beyond the ceiling', 'POST', '/par', push({ scope: 'platform:admin' }), 400, 'invalid_scope'],
  ...['client_id', 'redirect_uri', 'response_type', 'scope', 'code_challenge'].map((name): BadRow => [
    `${name} twice`,
    'POST',
    '/par',
    () => twice(push({})(), name),
    400,
    'invalid_request',
  ]),
  ['a request in JSON', 'POST', '/par', () => ({ json: pushed }), 400, 'invalid_request'],
  ['a request of a megabyte', 'POST', '/par', push({ state: 'x'.repeat(1 << 20) }), 400, 'invalid_request'],
  ['a request in the URL', 'GET', '/par', () => ({ query: pushed }), 404, 'not_found'],
];

const SHOWN = ['/revoke', '/introspect'].flatMap((path): BadRow[] => [
  [`${path}: no client`, 'POST', path, () => ({ form: { token: 'x' } }), 400, 'invalid_request'],
  [
    `${path}: an unknown client`,
    'POST',
    path,
    () => ({ form: { token: 'x', client_id: 'nobody' } }),
    401,
    'invalid_client',
  ],
  [
    `${path}: a wrong secret`,
    'POST',
    path,
    () => ({ form: { token: 'x' }, headers: { authorization: 'Basic c3VwcG9ydC1hZ2VudDp4' } }),
    401,
    'invalid_client',
  ],
  [
    `${path}: a client without its secret`,
    'POST',
    path,
    () => ({ form: { token: 'x', client_id: 'support-agent' } }),
    401,
    'invalid_client',
  ],
  [
    `${path}: an assertion whose key lies elsewhere`,
    'POST',
    path,
    async () => ({
      form: {
        token: 'x',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(gate.adminKey, 'secure-agent', gate.issuer, {}, {
          alg: 'ES256',
          jku: snare.url,
        } as never),
      },
    }),
    401,
    'invalid_client',
  ],
  [
    `${path}: the token to ask about as authentication`,
    'POST',
    path,
    async () => {
      const token = await machineToken();
      return { form: { token }, headers: { authorization: `Bearer ${token}` } };
    },
    400,
    'invalid_request',
  ],
  [`${path}: no token`, 'POST', path, () => ({ form: {}, headers: support() }), 400, 'invalid_request'],
  [
    `${path}: token twice`,
    'POST',
    path,
    () => ({
      form: [
        ['token', 'x'],
        ['token', 'y'],
      ],
      headers: support(),
    }),
    400,
    'invalid_request',
  ],
  [
    `${path}: token_type_hint twice`,
    'POST',
    path,
    () => ({
      form: [
        ['token', 'x'],
        ['token_type_hint', 'y'],
        ['token_type_hint', 'z'],
      ],
      headers: support(),
    }),
    400,
    'invalid_request',
  ],
  [
    `${path}: a token in the URL`,
    'POST',
    path,
    () => ({ query: { token: 'x' }, form: {}, headers: support() }),
    400,
    'invalid_request',
  ],
  [`${path}: JSON`, 'POST', path, () => ({ json: { token: 'x' }, headers: support() }), 400, 'invalid_request'],
  [
    `${path}: a megabyte`,
    'POST',
    path,
    () => ({ form: { token: 'x'.repeat(1 << 20) }, headers: support() }),
    400,
    'invalid_request',
  ],
  [`${path}: GET`, 'GET', path, () => ({ query: { token: 'x' }, headers: support() }), 404, 'not_found'],
]);
const machineToken = async (): Promise<string> =>
  String(
    (await postToken(gate, { grant_type: 'client_credentials', scope: 'customer:read' }, support())).body.access_token,
  );

const hint = (claims: object, header: object = {}): string =>
  `${[{ alg: 'ES256', ...header }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.AAAA`;
const LOGOUT: BadRow[] = [
  [
    'a hint for several clients',
    'GET',
    '/logout',
    () => ({ query: { id_token_hint: hint({ aud: ['web'] }) } }),
    400,
    'invalid_client',
  ],
  [
    'a hint for an object',
    'GET',
    '/logout',
    () => ({ query: { id_token_hint: hint({ aud: { toString: 'web' } }) } }),
    400,
    'invalid_client',
  ],
  [
    'a hint for a number',
    'GET',
    '/logout',
    () => ({ query: { id_token_hint: hint({ aud: 7 }) } }),
    400,
    'invalid_client',
  ],
  ['a hint for nobody', 'GET', '/logout', () => ({ query: { id_token_hint: hint({}) } }), 400, 'invalid_client'],

  [
    'a place that no client registered',
    'GET',
    '/logout',
    () => ({ query: { client_id: 'web', post_logout_redirect_uri: 'https://evil.example' } }),
    400,
    'invalid_request',
  ],
  [
    'the redirect URI of a client, which is for codes',
    'GET',
    '/logout',
    () => ({ query: { client_id: 'web', post_logout_redirect_uri: WEB } }),
    400,
    'invalid_request',
  ],
  [
    'a script to go on to',
    'GET',
    '/logout',
    () => ({ query: { client_id: 'web', post_logout_redirect_uri: 'javascript:alert(1)' } }),
    400,
    'invalid_request',
  ],
  [
    'a place with a line end',
    'GET',
    '/logout',
    () => ({ query: { client_id: 'web', post_logout_redirect_uri: `${WEB}\r\nX-Evil: 1` } }),
    400,
    'invalid_request',
  ],
  [
    'two places',
    'GET',
    '/logout',
    () => ({
      query: [
        ['client_id', 'web'],
        ['post_logout_redirect_uri', WEB],
        ['post_logout_redirect_uri', 'https://evil.example'],
      ],
    }),
    400,
    'invalid_request',
  ],
  ['an unknown client', 'GET', '/logout', () => ({ query: { client_id: 'nobody' } }), 400, 'invalid_client'],
  [
    'a hint without signature',
    'GET',
    '/logout',
    () => ({ query: { id_token_hint: 'eyJhbGciOiJub25lIn0.eyJhdWQiOiJ3ZWIifQ.' } }),
    400,
    'invalid_request',
  ],
  ['a hint that is none', 'GET', '/logout', () => ({ query: { id_token_hint: 'evil' } }), 400, 'invalid_request'],
  [
    'a hint whose key lies elsewhere',
    'GET',
    '/logout',
    () => ({
      query: {
        id_token_hint: hint({ aud: 'web' }, { jku: snare.url, x5u: snare.url }),
      },
    }),
    400,
    'invalid_request',
  ],
  [
    'an answer that nobody was asked for',
    'POST',
    '/logout/confirm',
    () => ({ form: { logout: 'yes' } }),
    400,
    'invalid_request',
  ],
  [
    'an answer with a made-up token',
    'POST',
    '/logout/confirm',
    () => ({ form: { logout: 'yes', xsrf: 'x'.repeat(40) } }),
    400,
    'invalid_request',
  ],
  ['a request in JSON', 'POST', '/logout', () => ({ json: { logout: 'yes' } }), 404, 'not_found'],
];

const check = (...row: unknown[]) => expectBad(gate, row as unknown as BadRow);
describe('/par refuses', () => void test.each(PUSHED)('%s', check));
describe('where tokens are shown', () => void test.each(SHOWN)('%s', check));
describe('a logout with', () => void test.each(LOGOUT)('%s', check));

test.each(['/revoke', '/introspect'])(
  '%s tells nothing of a token of another client, nor of one that is none',
  async (path) => {
    const theirs = String(
      (
        await postToken(
          gate,
          { grant_type: 'client_credentials', scope: 'customer:read' },
          secretOf(gate.demo, 'reporting-agent'),
        )
      ).body.access_token,
    );
    const answers: string[] = [];
    for (const token of [
      theirs,
      'x',
      'a\0b',
      'eyJhbGciOiJub25lIn0.e30.',
      `${theirs}x`,
      '__proto__',
      'ü',
      'x'.repeat(20_000),
    ]) {
      const response = await fetch(gate.issuer + path, {
        method: 'POST',
        headers: support(),
        body: new URLSearchParams({ token }),
      });
      expect(response.status).toBe(200);
      answers.push(await response.text());
    }
    expect(new Set(answers)).toEqual(new Set([path === '/revoke' ? '' : '{"active":false}']));
  },
);

test('a pushed request is for the client that pushed it, and once', async () => {
  const response = await fetch(`${gate.issuer}/par`, { method: 'POST', body: new URLSearchParams(pushed) });
  const { request_uri } = (await response.json()) as { request_uri: string };
  expect(response.status).toBe(201);
  const stolen = new URLSearchParams({ client_id: 'web', request_uri });
  const other = await fetch(`${gate.issuer}/authorize?${stolen}`, { redirect: 'manual' });
  expect([other.status, other.headers.get('location')]).toEqual([400, null]);
  const own = new URLSearchParams({
    client_id: 'desktop',
    request_uri,
    scope: 'customer:delete',
    redirect_uri: 'https://evil.example',
  });
  const first = await fetch(`${gate.issuer}/authorize?${own}`, { redirect: 'manual' });
  expect(first.headers.get('location') ?? '').not.toContain('evil');
});

test('a logout that names a place nobody registered ends on our own page', async () => {
  const { browser } = await grantAs(gate, sam(), { scope: 'customer:read' });
  const question = await browser.open(
    `/logout?post_logout_redirect_uri=${encodeURIComponent('https://evil.example/')}&state=evil`,
  );
  const answer = await browser.submit(formIn(question.html), { logout: 'yes' });
  expect([answer.sentTo, answer.status]).toEqual([undefined, 200]);
  expect(answer.html).toContain('You are signed out');
  expect(question.html + answer.html).not.toContain('evil');
});

test('a session cannot be put on somebody: the cookie that signs in is another than the one before (§ session fixation)', async () => {
  const browser = new Browser(gate.issuer);
  await browser.open(`/authorize?${new URLSearchParams(pushed)}`);
  const before = /portcullis_session=([^;]*)/.exec(browser.cookies('/'))?.[1];
  await grantAs(gate, sam(), { scope: 'customer:read' }, browser);
  const after = /portcullis_session=([^;]*)/.exec(browser.cookies('/'))?.[1];
  expect(after).toBeDefined();
  expect(after).not.toBe(before);
});
