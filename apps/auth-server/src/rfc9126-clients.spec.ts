import { proofBy, proofKey, type ProofKey, type ProofWords } from '@portcullis/guard/proof.fixture';
import { decodeJwt, type JWK } from 'jose';
import { askAdmin } from './admin.fixture.js';
import { Browser, formIn, pkce } from './browser.fixture.js';
import { exchange, typed } from './flow.fixture.js';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  jsonOf,
  postToken,
  privateJwk,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';
import { proven } from './proofs.fixture.js';

// What clients prove where they push a request: who they are (RFC 9126 §2), and which key is theirs (RFC 9449 §10.1).
const WEB = 'https://app.example/cb';
let gate: Gate;
let keyed: { readonly id: string; readonly key: JWK };
let open: string;
let key: ProofKey;
let other: ProofKey;
beforeAll(async () => {
  gate = await startGate(await world());
  [key, other] = [await proofKey(), await proofKey()];
  const token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
  const add = async (more: object) => {
    const record = { name: 'App', scopes: ['customer:read'], redirect_uris: [WEB], dpop_bound_access_tokens: false };
    return String((await askAdmin(gate, token, 'POST', '/clients', { ...record, ...more })).body.client_id);
  };
  const mine = await privateJwk();
  const { d: _d, ...jwk } = mine;
  keyed = { id: await add({ auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }), key: mine };
  open = await add({ auth_method: 'none' });
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const { verifier, challenge } = pkce();
const request = (client_id: string) => ({
  client_id,
  response_type: 'code',
  redirect_uri: WEB,
  code_challenge: challenge,
  code_challenge_method: 'S256',
  scope: 'customer:read',
});
async function push(form: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${gate.issuer}/par`, { method: 'POST', headers, body: new URLSearchParams(form) });
  return { status: response.status, headers: response.headers, body: jsonOf(await response.text()) };
}
const pushAs = async (audience: string) =>
  push({
    ...request(keyed.id),
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await assertion(keyed.key, keyed.id, audience),
  });

describe('an assertion at /par (RFC 9126 §2)', () => {
  test.each([
    ['the issuer', ''],
    ['the token endpoint', '/token'],
    ['the endpoint itself', '/par'],
  ])('may name %s', async (_says, path) => {
    expect(await pushAs(`${gate.issuer}${path}`)).toMatchObject({ status: 201 });
  });

  test.each([['https://evil.example'], ['https://evil.example/par']])('may not name %s', async (audience) => {
    expect(await pushAs(audience)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

/** The code of a request that was pushed with these. */
async function codeOf(form: Record<string, string>, headers: Record<string, string>): Promise<string> {
  const { body } = await push({ ...request(open), ...form }, headers);
  const browser = new Browser(gate.issuer);
  const query = new URLSearchParams({ client_id: open, request_uri: String(body.request_uri) });
  let page = await browser.open(`${gate.issuer}/authorize?${query}`);
  for (let turns = 0; page.sentTo === undefined && page.status === 200 && turns < 4; turns += 1) {
    const form = formIn(page.html);
    page = await browser.submit(
      form,
      form.action.endsWith('/login') ? typed(gate.demo.users[0]!) : { decision: 'allow' },
    );
  }
  return page.sentTo?.searchParams.get('code') ?? `no code: ${page.status}`;
}
const redeem = (code: string, headers: Record<string, string>) =>
  exchange(gate, code, verifier, { client_id: open, redirect_uri: WEB }, headers);
/** The header of a good proof for /par, but for the words. */
async function provenAtPar(by: ProofKey, words: Partial<ProofWords> = {}) {
  const htu = `${gate.issuer}/par`;
  const { headers } = await push(request(open), { dpop: await proofBy(by, { htu }) });
  return { dpop: await proofBy(by, { htu, nonce: headers.get('dpop-nonce') ?? '', ...words }) };
}

describe('a key at /par (RFC 9449 §10.1)', () => {
  test.each<[string, () => Promise<[Record<string, string>, Record<string, string>]>]>([
    ['its thumbprint', async () => [{ dpop_jkt: key.jkt }, {}]],
    ['a proof', async () => [{}, await provenAtPar(key)]],
    ['both', async () => [{ dpop_jkt: key.jkt }, await provenAtPar(key)]],
  ])('named by %s is the only one that the code is good for', async (_says, how) => {
    const bad = await redeem(await codeOf(...(await how())), await proven(gate, other));
    expect(bad).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const none = await redeem(await codeOf(...(await how())), {});
    expect(none).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const good = await redeem(await codeOf(...(await how())), await proven(gate, key));
    expect(good).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(decodeJwt(String(good.body.access_token)).cnf).toEqual({ jkt: key.jkt });
  });

  test('named by a thumbprint beside the proof of another is refused', async () => {
    const reply = await push({ ...request(open), dpop_jkt: other.jkt }, await provenAtPar(key));
    expect(reply).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^invalid_(?:request|dpop_proof)$/) },
    });
  });

  test.each<[string, Partial<ProofWords>]>([
    ['for another endpoint', { htu: 'https://evil.example/par' }],
    ['for another method', { htm: 'GET' }],
    ['without a method', { claims: { htm: undefined } }],
    ['without an endpoint', { claims: { htu: undefined } }],
    ['without an id', { claims: { jti: undefined } }],
    ['without a time', { claims: { iat: undefined } }],
  ])('proven %s is refused', async (_says, words) => {
    const reply = await push(request(open), await provenAtPar(key, words));
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
  });

  test.each([['x'], ['a.b.c'], ['e30.e30.'], ['e30.e30.e30, e30.e30.e30'], ['"']])(
    'proven by what is no JWT is refused: %s',
    async (dpop) => {
      expect(await push(request(open), { dpop })).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    },
  );

  test('a proof for /par is none for /token', async () => {
    const code = await codeOf({}, {});
    const form = {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: WEB,
      client_id: open,
    };
    const reply = await postToken(gate, form, await provenAtPar(key));
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
  });
});
