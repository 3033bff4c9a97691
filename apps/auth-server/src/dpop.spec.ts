import { proofBy, proofKey, type ProofKey, type ProofWords } from '@portcullis/guard/proof.fixture';
import { decodeJwt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { request } from 'node:http';
import { CALLBACK, exchange, grantAs } from './flow.fixture.js';
import {
  assertion,
  ASSERTION_TYPE,
  jsonOf,
  MCP,
  postToken,
  secretOf,
  startGate,
  world,
  type Gate,
  type World,
} from './gate.fixture.js';
import { proven, tokenNonce } from './proofs.fixture.js';

let of: World;
let gate: Gate;
let key: ProofKey;
let other: ProofKey;
beforeAll(async () => {
  of = await world();
  gate = await startGate(of, {}, { ALLOWED_HOSTS: 'also.example' });
  [key, other] = [await proofKey(), await proofKey()];
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const GRANT = { grant_type: 'client_credentials', scope: 'customer:read' };
/** secure-agent, whose record asks for proofs */
const secure = async () => ({
  ...GRANT,
  client_assertion_type: ASSERTION_TYPE,
  client_assertion: await assertion(gate.demo.clients['secure-agent'].private_jwk as JWK, 'secure-agent', gate.issuer),
});
const support = () => secretOf(gate.demo, 'support-agent');
const sam = () => gate.demo.users[0]!;
/** A token for a bearer client that sends a proof which is good but for the words. */
const ask = async (words: Partial<ProofWords> = {}, by = key) =>
  postToken(gate, GRANT, { ...support(), ...(await proven(gate, by, words)) });
const refusal = { status: 400, body: { error: 'invalid_dpop_proof' } };
const claimsOf = (token: unknown) => decodeJwt<{ cnf?: { jkt: string } }>(String(token));

test('sep-1932-as-metadata-alg-values, sep-1932-as-no-none-alg: the metadata names asymmetric algorithms only', async () => {
  const response = await fetch(`${gate.issuer}/.well-known/oauth-authorization-server`);
  const { dpop_signing_alg_values_supported } = (await response.json()) as Record<string, unknown>;
  expect(dpop_signing_alg_values_supported).toEqual(['ES256', 'EdDSA', 'Ed25519', 'RS256']);
});

describe('a proof that comes twice', () => {
  test('is an invalid proof, and no invalid grant (§5), for a machine', async () => {
    const headers = { ...support(), ...(await proven(gate, key)) };
    expect(await postToken(gate, GRANT, headers)).toMatchObject({ status: 200 });
    expect(await postToken(gate, GRANT, headers)).toMatchObject(refusal);
    expect(gate.events.seen.at(-1)).toMatchObject({ data: { reason: expect.stringMatching(/^invalid_dpop_proof: /) } });
  });

  test('costs nobody the code that it comes with', async () => {
    const [one, two] = [await grantAs(gate, sam()), await grantAs(gate, sam())];
    const used = await proven(gate, key);
    expect(await exchange(gate, one.code!, one.verifier, {}, used)).toMatchObject({ status: 200 });
    expect(await exchange(gate, two.code!, two.verifier, {}, used)).toMatchObject(refusal);
    expect(await exchange(gate, two.code!, two.verifier, {}, await proven(gate, key))).toMatchObject({ status: 200 });
  });

  test('with the code that it came with before ends what the code gave, as every such code does', async () => {
    const { code, verifier } = await grantAs(gate, sam());
    const used = await proven(gate, key);
    expect(await exchange(gate, code!, verifier, {}, used)).toMatchObject({ status: 200 });
    expect(await exchange(gate, code!, verifier, {}, used)).toMatchObject({ body: { error: 'invalid_grant' } });
    const ended = gate.events.seen.filter(({ data }) => 'action' in data && data.action === 'grant.compromised');
    expect(ended).toHaveLength(1);
  });
});

describe('sep-1932-as-dpop-bound-enforcement: a client whose record says so gets nothing without a proof', () => {
  test('no proof is invalid_dpop_proof, which costs no refresh token, and is on record', async () => {
    const reply = await postToken(gate, await secure());
    expect(reply).toMatchObject(refusal);
    expect(gate.events.seen.at(-1)).toMatchObject({
      data: {
        action: 'token.refused',
        clientId: 'secure-agent',
        reason: expect.stringMatching(/^invalid_dpop_proof: /),
      },
    });
  });

  test('a bad proof is refused too, and a good one gets a bound token', async () => {
    expect(await postToken(gate, await secure(), await proven(gate, key, { htm: 'GET' }))).toMatchObject(refusal);
    const reply = await postToken(gate, await secure(), await proven(gate, key));
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(claimsOf(reply.body.access_token).cnf).toEqual({ jkt: key.jkt });
  });

  test('an error page is no way around it', async () => {
    const reply = await postToken(gate, await secure(), { accept: 'text/html' });
    expect(reply.status).toBe(400);
    expect(reply.text).not.toContain('access_token');
  });
});

describe('sep-1932-as-token-binding: a token asked for with a proof is bound to its key', () => {
  test.each(['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const)('of a machine (%s)', async (alg) => {
    const by = await proofKey(alg);
    const reply = await ask({}, by);
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(claimsOf(reply.body.access_token).cnf).toEqual({ jkt: by.jkt });
  });

  test('without a proof a client that may has a bearer token', async () => {
    const reply = await postToken(gate, GRANT, support());
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    expect(claimsOf(reply.body.access_token).cnf).toBeUndefined();
  });

  test('of a person, and the refresh token of a public client with it', async () => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read', resource: MCP });
    const reply = await exchange(gate, granted.code ?? '', granted.verifier, {}, await proven(gate, key));
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(claimsOf(reply.body.access_token).cnf).toEqual({ jkt: key.jkt });
    const refresh = {
      grant_type: 'refresh_token',
      client_id: 'desktop',
      refresh_token: String(reply.body.refresh_token),
    };
    const renewed = await postToken(gate, refresh, await proven(gate, key));
    expect(renewed).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(claimsOf(renewed.body.access_token).cnf).toEqual({ jkt: key.jkt });
  });

  test.each<[string, () => Promise<Record<string, string>>, string]>([
    ['another key', () => proven(gate, other), 'invalid_grant'],
    ['no proof', async () => ({}), 'invalid_dpop_proof'],
  ])('a bound refresh token is no good with %s', async (_what, headers, error) => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read', resource: MCP });
    const { body } = await exchange(gate, granted.code ?? '', granted.verifier, {}, await proven(gate, key));
    const refresh = { grant_type: 'refresh_token', client_id: 'desktop', refresh_token: String(body.refresh_token) };
    const reply = await postToken(gate, refresh, await headers());
    expect(reply).toMatchObject({ status: 400, body: { error } });
  });
});

describe('a code asked for with dpop_jkt (RFC 9449 §10)', () => {
  const granted = () => grantAs(gate, sam(), { scope: 'customer:read', resource: MCP, dpop_jkt: key.jkt });

  test('is good for that key', async () => {
    const { code = '', verifier, sentTo } = await granted();
    expect(sentTo?.href.split('?')[0]).toBe(CALLBACK);
    const reply = await exchange(gate, code, verifier, {}, await proven(gate, key));
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  test.each<[string, () => Promise<Record<string, string>>]>([
    ['another key', () => proven(gate, other)],
    ['no key', async () => ({})],
  ])('is no good for %s', async (_what, headers) => {
    const { code = '', verifier } = await granted();
    const reply = await exchange(gate, code, verifier, {}, await headers());
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});

describe('a nonce is needed (RFC 9449 §8)', () => {
  test.each([undefined, 'made-up', ''])('%j is answered with a good one', async (nonce) => {
    const reply = await ask({ nonce });
    expect(reply).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
    const given = reply.headers.get('dpop-nonce') ?? undefined;
    expect(await ask({ nonce: given })).toMatchObject({ status: 200 });
  });

  test('a page of a public client may read it', async () => {
    const form = { grant_type: 'authorization_code', client_id: 'desktop', code: 'x', redirect_uri: CALLBACK };
    const dpop = await proofBy(key, { htu: `${gate.issuer}/token` });
    const reply = await postToken(gate, form, { dpop, origin: 'https://app.example' });
    expect(reply.body.error).toBe('use_dpop_nonce');
    expect(reply.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce');
  });

  test('its refusal is on record with its reason', async () => {
    await ask({ nonce: undefined });
    expect(gate.events.seen.at(-1)).toMatchObject({
      data: { action: 'token.refused', clientId: 'support-agent', reason: expect.stringMatching(/^use_dpop_nonce: /) },
    });
  });
});

describe('a proof is refused', () => {
  test.each<[string, Partial<ProofWords>]>([
    ['of another type', { header: { typ: 'JWT' } }],
    ['without a key', { header: { jwk: undefined } }],
    ['without a jti', { claims: { jti: undefined } }],
    ['without an iat', { claims: { iat: undefined } }],
    ['for another method', { htm: 'GET' }],
    ['for another endpoint', { htu: 'https://evil.example/token' }],
    ['for another path', { htu: 'http://127.0.0.1/par' }],
    ['without a target', { claims: { htu: undefined } }],
    ['with a critical header that we do not know', { header: { crit: ['x'], x: 1 } }],
  ])('%s', async (_what, words) => expect(await ask(words)).toMatchObject(refusal));

  test('signed by another key than the one in its header, or whose header carries the private key', async () => {
    expect(await ask({}, { ...key, privateKey: other.privateKey })).toMatchObject(refusal);
    expect(await ask({}, { ...key, jwk: await exportJWK(key.privateKey) })).toMatchObject(refusal);
  });

  test('sep-1932-asymmetric-alg-only: with alg none, HS256, or one that is not named', async () => {
    const [, body, signature] = (await proven(gate, key)).dpop.split('.');
    for (const alg of ['none', 'HS256']) {
      const head = Buffer.from(JSON.stringify({ alg, typ: 'dpop+jwt', jwk: key.jwk })).toString('base64url');
      for (const dpop of [`${head}.${body}.`, `${head}.${body}.${signature}`]) {
        expect(await postToken(gate, GRANT, { ...support(), dpop })).toMatchObject(refusal);
      }
    }
    const { publicKey, privateKey } = await generateKeyPair('ES384', { extractable: true });
    const by = { alg: 'ES384', jwk: await exportJWK(publicKey), privateKey, jkt: '' };
    expect(await ask({}, by)).toMatchObject(refusal);
  });

  test('of a key that no resource server of ours takes, or of more than 4 KiB', async () => {
    const weak = await crypto.subtle.generateKey(
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([3]) },
      true,
      ['sign', 'verify'],
    );
    const by = { alg: 'RS256', jwk: await exportJWK(weak.publicKey), privateKey: weak.privateKey, jkt: '' };
    expect(await ask({}, by)).toMatchObject(refusal);
    expect(await ask({ claims: { filler: 'x'.repeat(4096) } })).toMatchObject(refusal);
  });

  test('when there are two', async () => {
    const two = [(await proven(gate, key)).dpop, (await proven(gate, key)).dpop];
    expect(await raw({ dpop: two })).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
  });

  test('when it is sent again, of many at once all but one, and after a restart too', async () => {
    const headers = { ...support(), ...(await proven(gate, key)) };
    expect(await postToken(gate, GRANT, headers)).toMatchObject({ status: 200 });
    expect(await postToken(gate, GRANT, headers)).toMatchObject({ status: 400 });
    const many = { ...support(), ...(await proven(gate, key)) };
    const all = await Promise.all(Array.from({ length: 10 }, () => postToken(gate, GRANT, many)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    await gate.close();
    gate = await startGate(of, {}, { ALLOWED_HOSTS: 'also.example' });
    for (const sent of [headers, many]) expect(await postToken(gate, GRANT, sent)).toMatchObject({ status: 400 });
  });
});

test('nonces outlive a restart, since every replica makes the same', async () => {
  const nonce = await tokenNonce(gate);
  await gate.close();
  gate = await startGate(of, {}, { ALLOWED_HOSTS: 'also.example' });
  const dpop = await proofBy(key, { htu: `${gate.issuer}/token`, nonce });
  expect(await postToken(gate, GRANT, { ...support(), dpop })).toMatchObject({ status: 200 });
});

describe('the target of a proof is the issuer’s, whatever the request says of us', () => {
  test.each<[string, Record<string, string>]>([
    ['Host', { host: 'also.example' }],
    ['X-Forwarded-Host', { 'x-forwarded-host': 'also.example', 'x-forwarded-proto': 'https' }],
    ['Forwarded', { forwarded: 'host=also.example;proto=https' }],
  ])('%s', async (_what, headers) => {
    for (const htu of ['http://also.example/token', 'https://also.example/token']) {
      const { dpop } = await proven(gate, key, { htu });
      expect(await raw({ ...headers, dpop })).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    }
    const { dpop } = await proven(gate, key);
    expect(await raw({ ...headers, dpop })).toMatchObject({ status: 200 });
  });
});

/** A token request with headers that `fetch` would not send. */
function raw(headers: Record<string, string | string[]>): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const form = new URLSearchParams(GRANT).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(form.length) };
    const asked = request(`${gate.url}/token`, { method: 'POST', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: jsonOf(text) }));
    });
    asked.on('error', reject);
    for (const [name, value] of Object.entries({ ...support(), ...type, ...headers })) asked.setHeader(name, value);
    asked.end(form);
  });
}
