import { at, expectBad, expectRefused, sendBad, type BadRow, type Sent } from './bad-input.fixture.js';
import { Browser, formIn, pkce, type Form } from './browser.fixture.js';
import { authorizeUrl, exchange, grantAs, typed } from './flow.fixture.js';
import { startGate, world, type Gate } from './gate.fixture.js';

// What is sent to the pages of a sign-in by another site, another browser, or by hand; and to /userinfo and
// for the documents.
let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const sam = () => gate.demo.users[0]!;
const asked = () =>
  authorizeUrl(gate, { scope: 'customer:read', code_challenge: pkce().challenge, code_challenge_method: 'S256' });
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** A login form that our own browser got, and everything else that a good answer to it has. */
const atLogin = async () => {
  const browser = new Browser(gate.issuer);
  const { html } = await browser.open(asked());
  return good(browser, formIn(html), typed(sam()));
};
const atConsent = async () => {
  const browser = new Browser(gate.issuer);
  const { html } = await browser.open(asked());
  const consent = await browser.submit(formIn(html), typed(sam()));
  return good(browser, formIn(consent.html), { decision: 'allow' });
};
const good = (browser: Browser, form: Form, fields: Record<string, string>) => ({
  path: form.action,
  form: { ...form.hidden, ...fields } as Record<string, string>,
  headers: { origin: gate.issuer, 'sec-fetch-site': 'same-origin', cookie: browser.cookies(form.action) },
});
type Good = Awaited<ReturnType<typeof atLogin>>;
const spoilt = (step: () => Promise<Good>, how: (sent: Good) => Sent) => async (): Promise<Sent> => how(await step());
const without = ({ form, ...sent }: Good, name: string): Sent => {
  const { [name]: _out, ...rest } = form;
  return { ...sent, form: rest };
};
const header = (sent: Good, change: Record<string, string | string[]>): Sent => ({
  ...sent,
  headers: { ...sent.headers, ...change },
});
const asBody = ({ form: _form, ...sent }: Good, type: string, body: string | Buffer): Sent => ({
  ...sent,
  body,
  headers: { ...sent.headers, 'content-type': type },
});

/** What neither step lets pass. */
const forged = (step: () => Promise<Good>) =>
  at('POST', '', [
    ['without its token', spoilt(step, (sent) => without(sent, 'form_token')), 403, 'page'],
    ['with an empty token', spoilt(step, (sent) => ({ ...sent, form: { ...sent.form, form_token: '' } })), 403, 'page'],
    [
      'with a made-up token',
      spoilt(step, (sent) => ({ ...sent, form: { ...sent.form, form_token: 'x'.repeat(43) } })),
      403,
      'page',
    ],
    [
      'with the token of another sign-in',
      async () => {
        const [mine, theirs] = [await step(), await step()];
        return { ...mine, form: { ...mine.form, form_token: theirs.form.form_token ?? '' } };
      },
      403,
      'page',
    ],
    [
      'with its token twice',
      spoilt(step, (sent) => ({
        ...sent,
        form: [...Object.entries(sent.form), ['form_token', 'x']] as [string, string][],
      })),
      403,
      'page',
    ],
    [
      'of another site',
      spoilt(step, (sent) => header(sent, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })),
      403,
      'page',
    ],
    [
      'of another port of this machine',
      spoilt(step, (sent) => header(sent, { 'sec-fetch-site': 'same-site' })),
      403,
      'page',
    ],
    [
      'that a person typed into the address bar',
      spoilt(step, (sent) => header(sent, { 'sec-fetch-site': 'none' })),
      403,
      'page',
    ],
    ['without cookies', spoilt(step, (sent) => header(sent, { cookie: '' })), 400, 'page'],
    [
      'with a cookie that was changed',
      spoilt(step, (sent) =>
        header(sent, {
          cookie: sent.headers.cookie.replace(/\.sig=(.)/g, (_, was) => `.sig=${was === '_' ? '-' : '_'}`),
        }),
      ),
      400,
      'page',
    ],
    [
      'with the cookies of another browser',
      async () => {
        const [mine, theirs] = [await step(), await step()];
        return header(mine, { cookie: theirs.headers.cookie });
      },
      400,
      'page',
    ],
    ['in JSON', spoilt(step, ({ form, ...sent }) => ({ ...sent, json: form })), 400, 'page'],
    [
      'in parts',
      spoilt(step, (sent) => asBody(sent, 'multipart/form-data; boundary=x', '--x--')),
      415,
      'media_type_unsupported',
    ],
    [
      'as text, as other sites may send it',
      spoilt(step, (sent) => asBody(sent, 'text/plain', 'form_token=x')),
      415,
      'media_type_unsupported',
    ],
    ['in its address', spoilt(step, (sent) => ({ ...sent, query: sent.form })), 400, 'page'],
    [
      'that is compressed',
      spoilt(step, (sent) =>
        asBody({ ...sent, headers: { ...sent.headers, 'content-encoding': 'gzip' } as never }, FORM_TYPE, 'x'),
      ),
      415,
      'media_type_unsupported',
    ],
    [
      'of a megabyte',
      spoilt(step, (sent) => asBody(sent, FORM_TYPE, `form_token=${'x'.repeat(1 << 20)}`)),
      413,
      'body_too_large',
    ],
    [
      'of a thousand fields',
      spoilt(step, (sent) => asBody(sent, FORM_TYPE, Array.from({ length: 1_000 }, (_, i) => `f${i}=1`).join('&'))),
      413,
      'body_too_large',
    ],
    [
      'of no UTF-8',
      spoilt(step, (sent) => asBody(sent, FORM_TYPE, Buffer.from([0xff, 0x3d, 0xfe, 0x00]))),
      403,
      'page',
    ],
    [
      'with a token that is an object',
      spoilt(step, (sent) => asBody(sent, FORM_TYPE, 'form_token[a]=x&__proto__[form_token]=x')),
      403,
      'page',
    ],
    ['without a body', spoilt(step, ({ form: _form, ...sent }) => sent), 400, 'page'],
  ]);

const LOGIN = at('POST', '', [
  [
    'a wrong password',
    spoilt(atLogin, (sent) => ({ ...sent, form: { ...sent.form, password: 'wrong' } })),
    400,
    'page',
  ],
  ['no password', spoilt(atLogin, (sent) => without(sent, 'password')), 400, 'page'],
  ['no user name', spoilt(atLogin, (sent) => without(sent, 'username')), 400, 'page'],
  [
    'two user names',
    spoilt(atLogin, (sent) => ({
      ...sent,
      form: [...Object.entries(sent.form), ['username', 'uma']] as [string, string][],
    })),
    400,
    'page',
  ],
  [
    'two passwords',
    spoilt(atLogin, (sent) => ({
      ...sent,
      form: [...Object.entries(sent.form), ['password', 'x']] as [string, string][],
    })),
    400,
    'page',
  ],
  [
    'markup for a user name',
    spoilt(atLogin, (sent) => ({ ...sent, form: { ...sent.form, username: '"><script>alert(1)</script>' } })),
    400,
    'page',
  ],
  [
    'SQL for a user name',
    spoilt(atLogin, (sent) => ({ ...sent, form: { ...sent.form, username: "sam' --" } })),
    400,
    'page',
  ],
  [
    'a NUL behind the user name',
    spoilt(atLogin, (sent) => ({ ...sent, form: { ...sent.form, username: 'sam\0' } })),
    400,
    'page',
  ],
  [
    'letters that look alike',
    spoilt(atLogin, (sent) => ({ ...sent, form: { ...sent.form, username: 'ѕam' } })),
    400,
    'page',
  ],
  [
    'nine thousand characters for a password',
    spoilt(atLogin, (sent) => ({ ...sent, form: { ...sent.form, password: 'x'.repeat(9_000) } })),
    400,
    'page',
  ],
  [
    'a user of another tenant',
    spoilt(atLogin, (sent) => ({ ...sent, form: { ...sent.form, username: 'other/sam' } })),
    400,
    'page',
  ],
]);

const PLACES: BadRow[] = [
  ['a sign-in that never was', 'GET', '/interaction/never', () => ({}), 400, 'page'],
  ['a sign-in that is a path', 'GET', '/interaction/..%2f..%2fadmin', () => ({}), 400, 'page'],
  ['a sign-in with a NUL', 'GET', '/interaction/a%00b', () => ({}), 400, 'page'],
  ['a sign-in that is a property of objects', 'GET', '/interaction/__proto__', () => ({}), 400, 'page'],
  ['broken percent-encoding', 'GET', '/interaction/%zz', () => ({}), 400, 'request_invalid'],
  ['a sign-in of ten thousand characters', 'GET', `/interaction/${'x'.repeat(10_000)}`, () => ({}), 400, 'page'],
  ['a step that there is not', 'POST', '/interaction/x/evil', () => ({ form: {} }), 404, 'not_found'],
  ['DELETE of a sign-in', 'DELETE', '/interaction/x', () => ({}), 404, 'not_found'],
];

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const USERINFO: BadRow[] = [
  ['no token', 'GET', '/userinfo', () => ({}), 401, 'invalid_token'],
  ['a token that nobody gave', 'GET', '/userinfo', () => bearer('x'.repeat(43)), 401, 'invalid_token'],
  [
    'a token without signature',
    'GET',
    '/userinfo',
    () => bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.'),
    401,
    'invalid_token',
  ],
  ['a token for another resource', 'GET', '/userinfo', async () => bearer(await apiToken()), 401, 'invalid_token'],
  ['a token in its address', 'GET', '/userinfo', () => ({ query: { access_token: 'x' } }), 400, 'invalid_request'],
  [
    'a token in two places',
    'POST',
    '/userinfo',
    () => ({ form: { access_token: 'x' }, ...bearer('x') }),
    400,
    'invalid_request',
  ],
  ['two tokens', 'GET', '/userinfo', () => ({ headers: { authorization: 'Bearer x y' } }), 400, 'invalid_request'],
  ['another scheme', 'GET', '/userinfo', () => ({ headers: { authorization: 'Basic eDp5' } }), 400, 'invalid_request'],
  ['a NUL in a token', 'POST', '/userinfo', () => ({ form: { access_token: 'a\0b' } }), 401, 'invalid_token'],
  ['SQL for a token', 'POST', '/userinfo', () => ({ form: { access_token: "' or 1=1 --" } }), 401, 'invalid_token'],
];
const apiToken = async (): Promise<string> => {
  const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
  return String((await exchange(gate, granted.code ?? '', granted.verifier)).body.access_token);
};

const DOCUMENTS: BadRow[] = [
  ['POST', 'POST', '/jwks', () => ({}), 404, 'not_found'],
  ['DELETE', 'DELETE', '/jwks', () => ({}), 404, 'not_found'],
  ['one more step', 'GET', '/jwks/private', () => ({}), 404, 'not_found'],
  ['capitals', 'GET', '/JWKS', () => ({}), 404, 'not_found'],
  ['a way back', 'GET', '/.well-known/../admin/v1/keys', () => ({}), 404, 'not_found'],
  ['an encoded way back', 'GET', '/.well-known/%2e%2e/admin/v1/keys', () => ({}), 404, 'not_found'],
  ['another document', 'GET', '/.well-known/oauth-protected-resource', () => ({}), 404, 'not_found'],
  ['the issuer of somebody else', 'GET', '/.well-known/oauth-authorization-server/evil', () => ({}), 404, 'not_found'],
  [
    'a finger',
    'GET',
    '/.well-known/webfinger',
    () => ({ query: { resource: 'https://evil.example' } }),
    404,
    'not_found',
  ],
  [
    'a foreign Host',
    'GET',
    '/.well-known/oauth-authorization-server',
    () => ({ headers: { host: 'evil.example' } }),
    403,
    'origin_forbidden',
  ],
  [
    'two Hosts',
    'GET',
    '/.well-known/oauth-authorization-server',
    () => ({ headers: { host: ['evil.example', new URL(gate.issuer).host] } }),
    400,
    'invalid_request',
  ],
];

const check = (...row: unknown[]) => expectBad(gate, row as unknown as BadRow);
/** Rows whose path is the form's own. */
const checkForm = async (...row: unknown[]): Promise<void> => {
  const [, method, , sent, status, error] = row as unknown as BadRow;
  const { path = '', ...given } = await sent(gate);
  const before = gate.events.seen.length;
  const got = await sendBad(gate, method, path, given);
  expectRefused(gate, path, got, status, error);
  expect(got.text).not.toContain(sam().password);
  expect(JSON.stringify(gate.events.seen.slice(before))).not.toMatch(/login.succeeded|consent.granted/);
};

describe('a login form', () => void test.each(forged(atLogin))('%s', checkForm));
describe('a consent form', () => void test.each(forged(atConsent))('%s', checkForm));
describe('a login with', () => void test.each(LOGIN)('%s', checkForm));
describe('a page for', () => void test.each(PLACES)('%s', check));
describe('a question who it is with', () => void test.each(USERINFO)('%s', check));
describe('a document asked for by', () => void test.each(DOCUMENTS)('%s', check));

test('a failed login reads the same for whoever is known, unknown, or belongs elsewhere', async () => {
  const texts: string[] = [];
  for (const username of ['sam', 'nobody', 'ada']) {
    const { path, ...sent } = await atLogin();
    const got = await sendBad(gate, 'POST', path, { ...sent, form: { ...sent.form, username, password: 'wrong' } });
    texts.push(
      got.text
        .replaceAll(username, 'NAME')
        .replace(/interaction\/[\w-]+/g, '')
        .replace(/value="[\w-]{43}"/, ''),
    );
  }
  expect(new Set(texts).size).toBe(1);
});
