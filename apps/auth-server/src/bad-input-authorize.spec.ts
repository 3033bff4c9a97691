import {
  addPublicClients,
  expectBad,
  expectRefused,
  sendBad,
  trap,
  WEB,
  type BadRow,
  type Trap,
} from './bad-input.fixture.js';
import { Browser, pkce } from './browser.fixture.js';
import { authorizeUrl, CALLBACK, grantAs } from './flow.fixture.js';
import { assertion, MCP, privateJwk, startGate, world, type Gate } from './gate.fixture.js';

// What is sent to /authorize by whoever means ill: every answer is an error of the RFC, on a page or at the client that
// registered the place, and nobody else is asked or told anything.
let gate: Gate;
let snare: Trap;
/** the trap's address as request objects and keys would name it */
const baited = () => `${snare.url}/x`;

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

const S256 = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
const good = {
  client_id: 'desktop',
  response_type: 'code',
  redirect_uri: CALLBACK,
  state: 's-1',
  scope: 'customer:read',
  ...S256,
};
const asked = (change: Record<string, string>) => () => ({ query: { ...good, ...change } });
const without = (name: keyof typeof good) => () => {
  const { [name]: _out, ...query } = good;
  return { query };
};
const twice =
  (name: string, value = 'evil') =>
  () => ({
    query: [...Object.entries(good), [name, value], ...(name in good ? [] : [[name, value]])] as [string, string][],
  });
const raw = (more: string) => () => ({ query: `${new URLSearchParams(good)}&${more}` });

const NO_REDIRECT: BadRow[] = [
  ['no client', 'GET', '/authorize', without('client_id'), 400, 'invalid_request'],
  ['an unknown client', 'GET', '/authorize', asked({ client_id: 'nobody' }), 400, 'invalid_client'],
  ['a disabled client', 'GET', '/authorize', asked({ client_id: 'off', redirect_uri: WEB }), 400, 'invalid_client'],
  [
    'a client that is a machine',
    'GET',
    '/authorize',
    asked({ client_id: 'support-agent' }),
    400,
    'invalid_redirect_uri',
  ],
  ['the local administrator', 'GET', '/authorize', asked({ client_id: 'local-admin' }), 400, 'invalid_redirect_uri'],
  ['SQL for a client', 'GET', '/authorize', asked({ client_id: "x' or '1'='1" }), 400, 'invalid_client'],
  [
    'markup for a client',
    'GET',
    '/authorize',
    asked({ client_id: '"><script>alert(1)</script>' }),
    400,
    'invalid_client',
  ],
  ['a NUL in the client', 'GET', '/authorize', asked({ client_id: 'desktop\0' }), 400, 'invalid_client'],
  ['a property of objects for a client', 'GET', '/authorize', asked({ client_id: '__proto__' }), 400, 'invalid_client'],
  [
    'a URL for a client',
    'GET',
    '/authorize',
    () => ({ query: { ...good, client_id: baited() } }),
    400,
    'invalid_client',
  ],
  [
    'an https URL for a client',
    'GET',
    '/authorize',
    asked({ client_id: 'https://127.0.0.1/client.json' }),
    400,
    'invalid_client',
  ],
  [
    'seven thousand characters for a client',
    'GET',
    '/authorize',
    asked({ client_id: 'x'.repeat(7000) }),
    400,
    'invalid_client',
  ],
  ['no redirect URI', 'GET', '/authorize', without('redirect_uri'), 400, 'invalid_request'],
  [
    'a redirect URI that belongs to another client',
    'GET',
    '/authorize',
    asked({ redirect_uri: WEB }),
    400,
    'invalid_redirect_uri',
  ],
  ['two clients', 'GET', '/authorize', twice('client_id', 'web'), 400, 'invalid_request'],
  ['one client twice', 'GET', '/authorize', twice('client_id', 'desktop'), 400, 'invalid_request'],
  ['two redirect URIs', 'GET', '/authorize', twice('redirect_uri', WEB), 400, 'invalid_request'],
  ['one redirect URI twice', 'GET', '/authorize', twice('redirect_uri', CALLBACK), 400, 'invalid_request'],
  ['a request that is sent as a body', 'POST', '/authorize', () => ({ form: good }), 404, 'not_found'],
  ['more than a line of headers may hold', 'GET', '/authorize', asked({ state: 'x'.repeat(20_000) }), 431],
];

const TO_CLIENT: BadRow[] = [
  [
    'a pushed request that nobody pushed',
    'GET',
    '/authorize',
    asked({ request_uri: 'urn:ietf:params:oauth:request_uri:nothing' }),
    303,
    'invalid_request_uri',
  ],
  ...['code token', 'token', 'id_token', 'code id_token', 'none', 'CODE', '__proto__'].map((response_type): BadRow => [
    `response_type ${response_type}`,
    'GET',
    '/authorize',
    asked({ response_type }),
    303,
    'unsupported_response_type',
  ]),
  ['no response type', 'GET', '/authorize', without('response_type'), 303, 'invalid_request'],
  ['no challenge', 'GET', '/authorize', without('code_challenge'), 303, 'invalid_request'],
  [
    'no challenge method, which would mean plain',
    'GET',
    '/authorize',
    without('code_challenge_method'),
    303,
    'invalid_request',
  ],
  [
    'the challenge method plain',
    'GET',
    '/authorize',
    asked({ code_challenge_method: 'plain' }),
    303,
    'invalid_request',
  ],
  ['the challenge method s256', 'GET', '/authorize', asked({ code_challenge_method: 's256' }), 303, 'invalid_request'],
  ['the challenge method none', 'GET', '/authorize', asked({ code_challenge_method: 'none' }), 303, 'invalid_request'],
  [
    'a challenge of 42 characters',
    'GET',
    '/authorize',
    asked({ code_challenge: 'x'.repeat(42) }),
    303,
    'invalid_request',
  ],
  [
    'a challenge of 129 characters',
    'GET',
    '/authorize',
    asked({ code_challenge: 'x'.repeat(129) }),
    303,
    'invalid_request',
  ],
  [
    'a challenge that is no base64url',
    'GET',
    '/authorize',
    asked({ code_challenge: `${'x'.repeat(42)}=` }),
    303,
    'invalid_request',
  ],
  ...['response_type', 'scope', 'state', 'code_challenge', 'code_challenge_method', 'nonce', 'prompt', 'max_age'].map(
    (name): BadRow => [`${name} twice`, 'GET', '/authorize', twice(name), 303, 'invalid_request'],
  ),
  ['response_mode twice', 'GET', '/authorize', twice('response_mode', 'query'), 303, 'invalid_request'],
  ['an unknown response_mode', 'GET', '/authorize', asked({ response_mode: 'evil' }), 303, 'unsupported_response_mode'],
  [
    'a response_mode that scripts read',
    'GET',
    '/authorize',
    asked({ response_mode: 'web_message' }),
    303,
    'unsupported_response_mode',
  ],
  [
    'a request object',
    'GET',
    '/authorize',
    () => ({ query: { ...good, request: 'e30.e30.' } }),
    303,
    'request_not_supported',
  ],
  [
    'a request object whose keys lie elsewhere',
    'GET',
    '/authorize',
    async () => {
      const header = { alg: 'ES256', jku: baited(), x5u: baited() } as { alg: string };
      return { query: { ...good, request: await assertion(await privateJwk(), 'desktop', gate.issuer, good, header) } };
    },
    303,
    'request_not_supported',
  ],
  [
    'a request that lies elsewhere',
    'GET',
    '/authorize',
    () => ({ query: { ...good, request_uri: baited() } }),
    303,
    'request_uri_not_supported',
  ],
  [
    'a request that lies in a file',
    'GET',
    '/authorize',
    asked({ request_uri: 'file:///etc/passwd' }),
    303,
    'request_uri_not_supported',
  ],
  [
    'a request that lies at an https place',
    'GET',
    '/authorize',
    asked({ request_uri: 'https://127.0.0.1/r' }),
    303,
    'request_uri_not_supported',
  ],
  [
    'a registration in passing',
    'GET',
    '/authorize',
    () => ({ query: { ...good, registration: JSON.stringify({ jwks_uri: baited() }) } }),
    303,
    'registration_not_supported',
  ],
  [
    'a resource of somebody else',
    'GET',
    '/authorize',
    asked({ resource: 'https://evil.example/mcp' }),
    303,
    'invalid_target',
  ],
  [
    'a resource that hides its host',
    'GET',
    '/authorize',
    asked({ resource: MCP.replace('//', '//evil@') }),
    303,
    'invalid_target',
  ],
  ['a resource with a fragment', 'GET', '/authorize', asked({ resource: `${MCP}#evil` }), 303, 'invalid_target'],
  ['a resource that is no URI', 'GET', '/authorize', asked({ resource: '../../mcp' }), 303, 'invalid_target'],
  [
    'two resources',
    'GET',
    '/authorize',
    () => ({ query: [...Object.entries(good), ['resource', MCP], ['resource', gate.uris.authAdmin]] }),
    303,
    'invalid_target',
  ],
  [
    'scopes beyond the ceiling only',
    'GET',
    '/authorize',
    asked({ scope: 'platform:admin admin:clients' }),
    303,
    'invalid_scope',
  ],
  ['a scope with a NUL', 'GET', '/authorize', asked({ scope: 'customer:read\0' }), 303, 'invalid_scope'],
  ['a scope with a quote', 'GET', '/authorize', asked({ scope: '"customer:read"' }), 303, 'invalid_scope'],
  ['a sign-in in silence', 'GET', '/authorize', asked({ prompt: 'none' }), 303, 'login_required'],
  ['silence and a sign-in', 'GET', '/authorize', asked({ prompt: 'none login' }), 303, 'invalid_request'],
  ['an unknown prompt', 'GET', '/authorize', asked({ prompt: 'evil' }), 303, 'invalid_request'],
  ['a max_age below zero', 'GET', '/authorize', asked({ scope: 'openid', max_age: '-1' }), 303, 'invalid_request'],
  [
    'a max_age that is no number',
    'GET',
    '/authorize',
    asked({ scope: 'openid', max_age: 'x' }),
    303,
    'invalid_request',
  ],
  [
    'an id_token_hint without signature',
    'GET',
    '/authorize',
    asked({ scope: 'openid', id_token_hint: 'eyJhbGciOiJub25lIn0.e30.' }),
    303,
    'invalid_request',
  ],
  [
    'a state that would be a header',
    'GET',
    '/authorize',
    asked({ state: 'a\r\nX-Evil: 1\r\nSet-Cookie: evil=1', prompt: 'none' }),
    303,
    'login_required',
  ],
  ['bytes that are no UTF-8', 'GET', '/authorize', raw('prompt=none&login_hint=%ff%fe%00'), 303, 'login_required'],
  [
    'parameters that name properties of objects',
    'GET',
    '/authorize',
    raw('__proto__=evil&constructor=evil&prompt=none'),
    303,
    'login_required',
  ],
  [
    'brackets that build objects elsewhere',
    'GET',
    '/authorize',
    raw('scope[]=evil&redirect_uri[0]=https://evil.example&prompt=none'),
    303,
    'login_required',
  ],
];

test.each([...NO_REDIRECT, ...TO_CLIENT])('%s', async (...row: unknown[]) => {
  const got = await expectBad(gate, row as unknown as BadRow);
  if (got.status === 400) expect(got.headers.get('location')).toBeNull();
});

test('a state comes back as it was, whatever it holds', async () => {
  const state = 'a\r\nX-Evil: 1 <script> ü \u0000 %0d%0a';
  const got = await sendBad(gate, 'GET', '/authorize', { query: { ...good, state, prompt: 'none' } });
  expectRefused(gate, '/authorize', got, 303, 'login_required');
  expect(new URL(got.headers.get('location') ?? '').searchParams.get('state')).toBe(state);
});

test('an answer says who gives it, whichever it is, so that nobody mixes up two servers (RFC 9207 §2)', async () => {
  const [yes, no] = [
    await grantAs(gate, gate.demo.users[0]!, good),
    await grantAs(gate, gate.demo.users[0]!, { ...good, scope: 'evil' }),
  ];
  expect(yes.sentTo?.searchParams.getAll('iss')).toEqual([gate.issuer]);
  expect(no.sentTo?.searchParams.getAll('iss')).toEqual([gate.issuer]);
  expect(no.sentTo?.searchParams.get('error')).toBe('invalid_scope');
});

test('an iss that a request brings along is not the one that answers', async () => {
  const granted = await grantAs(gate, gate.demo.users[0]!, { ...good, iss: 'https://evil.example' });
  expect(granted.sentTo?.searchParams.getAll('iss')).toEqual([gate.issuer]);
});

test('a page of the sign-in cannot be resumed by another browser', async () => {
  const browser = new Browser(gate.issuer);
  const first = await browser.request(authorizeUrl(gate, good));
  const uid = first.headers.get('location')?.split('/').at(-1) ?? '';
  for (const path of [`/authorize/${uid}`, '/authorize/evil', '/authorize/__proto__', `/interaction/${uid}`]) {
    const got = await sendBad(gate, 'GET', path, {});
    expectRefused(gate, path, got, 400, path.startsWith('/authorize') ? 'invalid_request' : 'page');
  }
});
