import { createHmac, createPublicKey } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { at, expectBadToken, trap, twice, type BadRow, type Sent, type Trap } from './bad-input.fixture.js';
import {
  assertion,
  ASSERTION_TYPE,
  postToken,
  privateJwk,
  secretOf,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';

// Assertions (RFC 7523) that are forged, confused, used before, or want us to ask somebody for their keys.
let gate: Gate;
let snare: Trap;
let foreign: JWK;
beforeAll(async () => {
  gate = await startGate(await world());
  snare = await trap();
  foreign = await privateJwk();
}, 60_000);
afterAll(async () => {
  expect(snare.visits()).toBe(0);
  await snare.close();
  await gate.close();
  await gate.database.close();
});

const support = () => secretOf(gate.demo, 'support-agent');
const MACHINE = { grant_type: 'client_credentials', scope: 'customer:read' };

/** An assertion of secure-agent whose parts are as given. */
const made = (header: object, claims: Record<string, unknown>, signature: (text: string) => string): string => {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: 'secure-agent',
    sub: 'secure-agent',
    aud: gate.issuer,
    jti: `j${Math.random()}`,
    iat: now,
    exp: now + 60,
    ...claims,
  };
  const text = [header, all].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${signature(text)}`;
};
const asserted = (client_assertion: string, more: Record<string, string> = {}): Sent => ({
  form: { ...MACHINE, client_assertion_type: ASSERTION_TYPE, client_assertion, ...more },
});
const ownKey = () => gate.demo.clients['secure-agent'].private_jwk as JWK;
const byOwnKey = async (claims: Record<string, unknown>, header: object = {}) =>
  asserted(await assertion(ownKey(), 'secure-agent', gate.issuer, claims, { alg: 'ES256', ...header }));
const byForeignKey = async (header: () => object) =>
  asserted(await assertion(foreign, 'secure-agent', gate.issuer, {}, { alg: 'ES256', ...header() }));
const publicOf = ({ d: _d, ...key }: JWK): JWK => key;
const pem = () =>
  createPublicKey({ key: publicOf(ownKey()) as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });

const ASSERTIONS = at('POST', '/token', [
  ['an assertion without signature', () => asserted(made({ alg: 'none' }, {}, () => '')), 401, 'invalid_client'],
  ['an assertion with alg nOnE', () => asserted(made({ alg: 'nOnE' }, {}, () => '')), 401, 'invalid_client'],
  [
    'an assertion under the public key as a secret',
    () => asserted(made({ alg: 'HS256' }, {}, (text) => createHmac('sha256', pem()).update(text).digest('base64url'))),
    401,
    'invalid_client',
  ],
  [
    'an assertion of another algorithm',
    async () => asserted(await assertion(await rsaKey(), 'secure-agent', gate.issuer, {}, { alg: 'RS256' })),
    401,
    'invalid_client',
  ],
  [
    'an ES256 assertion that says ES384',
    () => asserted(made({ alg: 'ES384' }, {}, () => 'A'.repeat(86))),
    401,
    'invalid_client',
  ],
  [
    'an assertion with a signature of zeros',
    () => asserted(made({ alg: 'ES256' }, {}, () => 'A'.repeat(86))),
    401,
    'invalid_client',
  ],
  ['an assertion by a foreign key', () => byForeignKey(() => ({})), 401, 'invalid_client'],
  ['an assertion that brings its key', () => byForeignKey(() => ({ jwk: publicOf(foreign) })), 401, 'invalid_client'],
  [
    'an assertion that says where its key is',
    () => byForeignKey(() => ({ jku: `${snare.url}/jwks`, x5u: `${snare.url}/x5u` })),
    401,
    'invalid_client',
  ],
  ['an assertion whose key is a path', () => byForeignKey(() => ({ kid: '../../../dev/null' })), 401, 'invalid_client'],
  [
    'an assertion whose key is SQL',
    () => byForeignKey(() => ({ kid: "' union select 'x' --" })),
    401,
    'invalid_client',
  ],
  [
    'an assertion with a critical header nobody knows',
    () => asserted(made({ alg: 'ES256', crit: ['evil'], evil: 1 }, {}, () => 'A'.repeat(86))),
    401,
    'invalid_client',
  ],
  ['an assertion of nobody', () => byOwnKey({ sub: undefined }), 401, 'invalid_client'],
  ['an assertion of one for another', () => byOwnKey({ sub: 'support-agent' }), 401, 'invalid_client'],
  ['an assertion of another issuer', () => byOwnKey({ iss: 'https://evil.example' }), 401, 'invalid_client'],
  ['an assertion for another server', () => byOwnKey({ aud: 'https://evil.example' }), 401, 'invalid_client'],
  [
    'an assertion for a server whose name begins like ours',
    () => byOwnKey({ aud: `${gate.issuer}.evil.example` }),
    401,
    'invalid_client',
  ],
  [
    'an assertion for another server too',
    () => byOwnKey({ aud: [gate.issuer, 'https://evil.example'] }),
    401,
    'invalid_client',
  ],
  ['an assertion that has expired', () => byOwnKey({ exp: 1 }), 401, 'invalid_client'],
  [
    'an assertion whose end is text',
    () => asserted(made({ alg: 'ES256' }, { exp: '9999999999' }, () => 'A'.repeat(86))),
    401,
    'invalid_client',
  ],
  ['an assertion that lives a year', () => byOwnKey({ exp: 4_000_000_000 }), 401, 'invalid_client'],
  ['an assertion without an id', () => byOwnKey({ jti: undefined }), 401, 'invalid_client'],
  ['an assertion with an id of 256 characters', () => byOwnKey({ jti: 'x'.repeat(256) }), 401, 'invalid_client'],
  [
    'an assertion with an id that is an object',
    () => asserted(made({ alg: 'ES256' }, { jti: { evil: 1 } }, () => 'A'.repeat(86))),
    401,
    'invalid_client',
  ],
  ['an assertion that was used', usedAssertion, 401, 'invalid_client'],
  [
    'an assertion of another type',
    async () => ({ form: { ...((await byOwnKey({})).form as object), client_assertion_type: 'urn:evil' } }),
    400,
    'invalid_request',
  ],
  [
    'an assertion without its type',
    () => ({ form: { ...MACHINE, client_assertion: made({ alg: 'none' }, {}, () => '') } }),
    400,
    'invalid_request',
  ],
  ['an assertion that is none', () => asserted('evil'), 400, 'invalid_request'],
  ['an assertion of three dots', () => asserted('...'), 400, 'invalid_request'],
  ['an assertion whose claims are a list', () => asserted('eyJhbGciOiJFUzI1NiJ9.W10.AAAA'), 400, 'invalid_request'],
  [
    'an assertion whose claims go down ten thousand levels',
    () =>
      asserted(
        `eyJhbGciOiJFUzI1NiJ9.${Buffer.from(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`).toString('base64url')}.AAAA`,
      ),
    401,
    'invalid_client',
  ],
  [
    'an assertion besides a secret',
    async () => ({ ...(await byOwnKey({})), headers: support() }),
    400,
    'invalid_request',
  ],
  [
    'an assertion besides the id of another client',
    async () => ({ form: { ...((await byOwnKey({})).form as object), client_id: 'support-agent' } }),
    400,
    'invalid_request',
  ],
  ['client_assertion twice', async () => twice(await byOwnKey({}), 'client_assertion'), 400, 'invalid_request'],
  [
    'client_assertion_type twice',
    async () => twice(await byOwnKey({}), 'client_assertion_type'),
    400,
    'invalid_request',
  ],
]);
const rsaKey = async (): Promise<JWK> => exportJWK((await generateKeyPair('RS256', { extractable: true })).privateKey);
async function usedAssertion(): Promise<Sent> {
  const token = await assertion(gate.adminKey, 'local-admin', gate.issuer);
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: token,
    resource: gate.uris.authAdmin,
    scope: 'admin:clients',
  };
  expect((await postToken(gate, form)).status).toBe(200);
  return { form };
}

describe('a client with a key sends', () =>
  void test.each(ASSERTIONS)('%s', (...row: unknown[]) => expectBadToken(gate, row as unknown as BadRow)));
