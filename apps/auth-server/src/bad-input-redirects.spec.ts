import { addPublicClients, expectBad, WEB, type BadRow } from './bad-input.fixture.js';
import { Browser, pkce } from './browser.fixture.js';
import { authorizeUrl } from './flow.fixture.js';
import { startGate, world, type Gate } from './gate.fixture.js';

// Redirect URIs that look like a registered one: each is a page that says no, and nobody is sent anywhere. They are
// compared as they are (RFC 9700 §2.1, OAuth 2.1 §4.1.1), but for the port of loopback (RFC 8252 §7.3).
let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
  await addPublicClients(gate);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const S256 = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
const good = { response_type: 'code', state: 's-1', scope: 'customer:read', ...S256 };
const redirects = (client: string, uris: Record<string, string>): BadRow[] =>
  Object.entries(uris).map(([says, redirect_uri]) => [
    `a redirect URI of ${client} with ${says}`,
    'GET',
    '/authorize',
    () => ({ query: { ...good, client_id: client, redirect_uri } }),
    400,
    'invalid_redirect_uri',
  ]);

const REDIRECTS: BadRow[] = [
  ...redirects('web', {
    'another path': 'https://app.example/evil',
    'a longer path': 'https://app.example/cb/evil',
    'a slash at its end': 'https://app.example/cb/',
    'two slashes': 'https://app.example//cb',
    'a way back': 'https://app.example/x/../cb',
    'an encoded way back': 'https://app.example/cb%2f..%2fevil',
    'an encoded letter': 'https://app.example/%63b',
    'an encoded NUL': 'https://app.example/cb%00',
    'a path in capitals': 'https://app.example/CB',
    'a scheme in capitals': 'HTTPS://app.example/cb',
    'a host in capitals': 'https://APP.example/cb',
    'another port': 'https://app.example:444/cb',
    'its own port, written out': 'https://app.example:443/cb',
    'a query': 'https://app.example/cb?next=https://evil.example',
    'an empty query': 'https://app.example/cb?',
    'a fragment': 'https://app.example/cb#evil',
    'an empty fragment': 'https://app.example/cb#',
    'a user name': 'https://evil@app.example/cb',
    'its host as a user name': 'https://app.example@evil.example/cb',
    'its host as a user name with a password': 'https://app.example:x@evil.example/cb',
    'a backslash before the host': 'https://app.example\\@evil.example/cb',
    'backslashes for slashes': 'https:\\\\app.example\\cb',
    'another host': 'https://evil.example/cb',
    'a host that ends in ours': 'https://evilapp.example/cb',
    'a host that begins with ours': 'https://app.example.evil.example/cb',
    'a host below ours': 'https://x.app.example/cb',
    'a dot at the end of its host': 'https://app.example./cb',
    'a letter of another script': 'https://аpp.example/cb',
    'a dot of another script': 'https://app。example/cb',
    'plain http': 'http://app.example/cb',
    'no scheme': '//app.example/cb',
    'a path only': '/cb',
    'a blank before it': ' https://app.example/cb',
    'a blank behind it': 'https://app.example/cb ',
    'a tab in it': 'https://app.exa\tmple/cb',
    'a line end and a header behind it': 'https://app.example/cb\r\nX-Evil: 1',
    'a script for a scheme': 'javascript:alert(1)//https://app.example/cb',
    'data for a scheme': 'data:text/html,<script>alert(1)</script>',
    'a wildcard': 'https://*.example/cb',
    'a NUL': 'https://app.example/cb\0',
    'eight thousand characters': `https://app.example/cb?${'x'.repeat(8000)}`,
  }),
  ...redirects('loop', {
    localhost: 'http://localhost:4711/only',
    'the other loopback': 'http://[::1]:4711/only',
    'loopback as one number': 'http://2130706433:4711/only',
    'loopback, short': 'http://127.1:4711/only',
    'loopback in octal': 'http://0177.0.0.1:4711/only',
    'another loopback address': 'http://127.0.0.2:4711/only',
    'a mapped address': 'http://[::ffff:127.0.0.1]:4711/only',
    https: 'https://127.0.0.1:4711/only',
    'a user name before the port': 'http://127.0.0.1:4711@evil.example/only',
    'a host that begins like it': 'http://127.0.0.1.evil.example:4711/only',
    'a port that is none': 'http://127.0.0.1:99999/only',
    'a port of another script': 'http://127.0.0.1:４711/only',
    'another path': 'http://127.0.0.1:4711/only/more',
    'a query': 'http://127.0.0.1:4711/only?x',
  }),
];

test.each(REDIRECTS)('%s', async (...row: unknown[]) => {
  const got = await expectBad(gate, row as unknown as BadRow);
  expect(got.headers.get('location')).toBeNull();
});

test.each([
  ['web', WEB],
  ['loop', 'http://127.0.0.1:4711/only'],
  ['loop', 'http://127.0.0.1/only'],
])('the one that %s has registered is none of them: %s', async (client_id, redirect_uri) => {
  const page = await new Browser(gate.issuer).open(authorizeUrl(gate, { ...good, client_id, redirect_uri }));
  expect([page.status, page.html.includes('<h1>Sign in</h1>')]).toEqual([200, true]);
});
