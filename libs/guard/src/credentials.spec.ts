import { verify } from 'node:crypto';
import { Refusal } from '@portcullis/contract/refusals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { wwwAuthenticate } from './challenge.js';
import { authenticate, type CredentialChecks, type Credentials } from './credentials.js';
import { memoryCredentialChecks } from './credential-checks.memory.js';
import type { ProofChecks } from './dpop.js';
import { localKeys } from './jwks.http.js';
import { nonces } from './nonces.js';
import { proofSigners } from './proof-signer.js';
import { memoryProofChecks } from './proof-checks.memory.js';
import { memoryProofReplay } from './proof-replay.memory.js';
import { proofBy, proofKey, type ProofKey, type ProofWords } from './proof.fixture.js';
import type { TokenRules } from './token.js';

const START = 1_800_000_000_000;
const URI = 'https://mcp.example/mcp';
let issuer: CryptoKey;
let rules: TokenRules;
let own: ProofKey;
let foreign: ProofKey;
const clock = { now: START };
let checks: ProofChecks;
let all: CredentialChecks;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  issuer = pair.privateKey;
  const keys = localKeys({ keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256' }] });
  rules = { issuer: 'https://auth.example', audience: URI, keys, now: () => clock.now };
  [own, foreign] = [await proofKey(), await proofKey()];
});
beforeEach(() => {
  clock.now = START;
  checks = memoryProofChecks(() => clock.now);
  all = memoryCredentialChecks(rules, { proofs: checks });
});

const tokenOf = (cnf: object | undefined, claims: object = {}): Promise<string> =>
  new SignJWT({
    iss: 'https://auth.example',
    aud: URI,
    sub: 'client-1',
    client_id: 'client-1',
    jti: 'jti-1',
    iat: START / 1000,
    exp: START / 1000 + 900,
    scope: 'customer:read',
    tenant: 'acme',
    ceiling: 'customer:read',
    ...(cnf && { cnf }),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .sign(issuer);
const bound = (to = own, claims: object = {}) => tokenOf({ jkt: to.jkt }, claims);

const ask = async (credentials: Partial<Credentials>, htu: string | undefined = URI) =>
  authenticate({ authorization: [], dpop: [], method: 'POST', address: '192.0.2.1', ...credentials }, htu, {
    ...all,
    proofs: checks,
  });
/** Sends a bound token with a proof that is good but for the words. */
async function prove(words: Partial<ProofWords> = {}, key = own, token?: string) {
  const sent = token ?? (await bound());
  const proof = await proofBy(key, { htu: URI, token: sent, nonce: checks.nonces.current(), now: clock.now, ...words });
  return ask({ authorization: [`DPoP ${sent}`], dpop: [proof] });
}
/** code, and the error of the challenge */
async function refused(work: Promise<unknown>): Promise<[string, string | undefined]> {
  const refusal = await work.then(
    () => {
      throw new Error('no refusal');
    },
    (error: unknown) => error as Refusal,
  );
  if (!(refusal instanceof Refusal)) throw refusal;
  return [refusal.code, /error="(\w+)"/.exec(wwwAuthenticate(refusal) ?? '')?.[1]];
}
const BAD_PROOF = ['dpop_invalid', 'invalid_dpop_proof'];
const BAD_NONCE = ['dpop_invalid', 'use_dpop_nonce'];

describe('a bound token with a proof of its key', () => {
  test.each(['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const)('is let in (%s)', async (alg) => {
    const key = await proofKey(alg);
    const { caller, dpopNonce } = await prove({}, key, await bound(key));
    expect([caller.clientId, caller.jkt, dpopNonce]).toEqual(['client-1', key.jkt, undefined]);
  });

  test.each<[string, Partial<ProofWords>]>([
    ['htu in other spelling', { htu: 'HTTPS://mcp.example:443/x/../%6Dcp?a=1#b' }],
    ['iat 299 s ago', { claims: { iat: START / 1000 - 299 } }],
    ['iat in 299 s', { claims: { iat: START / 1000 + 299 } }],
    ['a jti of 255 characters', { claims: { jti: 'x'.repeat(255) } }],
    ['claims and headers we do not know', { claims: { more: 1 }, header: { kid: 'mine' } }],
    ['the whole media type', { header: { typ: 'application/dpop+jwt' } }],
  ])('is let in with %s', async (_what, words) => {
    expect((await prove(words)).caller.clientId).toBe('client-1');
  });

  test('is told the next nonce when its own is a minute old', async () => {
    const nonce = checks.nonces.current();
    clock.now += 60_000;
    const { dpopNonce } = await prove({ nonce });
    expect(dpopNonce).toBe(checks.nonces.current());
    expect((await prove({ nonce: dpopNonce })).dpopNonce).toBeUndefined();
  });

  test('is let in once', async () => {
    const token = await bound();
    const proof = await proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now });
    const sent = { authorization: [`DPoP ${token}`], dpop: [proof] };
    await ask(sent);
    expect(await refused(ask(sent))).toEqual(BAD_PROOF);
    const many = await proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now });
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => ask({ ...sent, dpop: [many] })));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('is not let in with the jti of another proof of the same principal', async () => {
    await prove({ claims: { jti: 'one' } });
    expect(await refused(prove({ claims: { jti: 'one', iat: START / 1000 - 1 } }))).toEqual(BAD_PROOF);
  });
});

describe('a proof is refused', () => {
  test.each<[string, Partial<ProofWords>]>([
    ['without a type', { header: { typ: undefined } }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['without a key', { header: { jwk: undefined } }],
    ['with the address of a key instead', { header: { jwk: undefined, jku: 'https://evil.example/jwks' } }],
    ['without a jti', { claims: { jti: undefined } }],
    ['with an empty jti', { claims: { jti: '' } }],
    ['with a jti of 256 characters', { claims: { jti: 'x'.repeat(256) } }],
    ['with a jti that is a number', { claims: { jti: 1 as never } }],
    ['for another method', { htm: 'GET' }],
    ['for the method in small letters', { htm: 'post' }],
    ['without a method', { claims: { htm: undefined } }],
    ['for another host', { htu: 'https://evil.example/mcp' }],
    ['for another path', { htu: `${URI}/x` }],
    ['for another scheme', { htu: 'http://mcp.example/mcp' }],
    ['for the path alone', { htu: '/mcp' }],
    ['without a target', { claims: { htu: undefined } }],
    ['without an iat', { claims: { iat: undefined } }],
    ['with an iat that is a text', { claims: { iat: String(START / 1000) as never } }],
    ['301 s old', { claims: { iat: START / 1000 - 301 } }],
    ['301 s ahead', { claims: { iat: START / 1000 + 301 } }],
    ['without the hash of the token', { claims: { ath: undefined } }],
    ['with the hash of another token', { token: 'another' }],
    ['with the hash of the token in hex', { claims: { ath: 'ab'.repeat(32) } }],
    ['that has expired', { claims: { exp: START / 1000 - 301 } }],
    ['with a critical header that we do not know', { header: { crit: ['x'], x: 1 } }],
    ['of more than 4 KiB', { claims: { filler: 'x'.repeat(4096) } }],
  ])('%s', async (_what, words) => expect(await refused(prove(words))).toEqual(BAD_PROOF));

  test('signed by another key than the one in its header', async () => {
    expect(await refused(prove({}, { ...own, privateKey: foreign.privateKey }))).toEqual(BAD_PROOF);
  });

  test('with any part of it changed', async () => {
    const token = await bound();
    const parts = (await proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now })).split('.');
    const [head = '', body = '', signature = ''] = parts;
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), htm: 'GET' }));
    for (const changed of [
      `${head}.${other.toString('base64url')}.${signature}`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${head}.${body}.`,
      `${head}.${body}`,
      '..',
      '',
      'x'.repeat(4096),
    ]) {
      expect(await refused(ask({ authorization: [`DPoP ${token}`], dpop: [changed] }))).toEqual(BAD_PROOF);
    }
  });

  test('with alg none, or an HMAC keyed by the public key (RFC 9449 §11.6)', async () => {
    const token = await bound();
    const claims = { jti: 'j', htm: 'POST', htu: URI, iat: START / 1000, nonce: checks.nonces.current() };
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const none = `${encode({ alg: 'none', typ: 'dpop+jwt', jwk: own.jwk })}.${encode(claims)}.`;
    const secret = new TextEncoder().encode(JSON.stringify(own.jwk));
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk: own.jwk })
      .sign(secret);
    for (const proof of [none, hmac]) {
      expect(await refused(ask({ authorization: [`DPoP ${token}`], dpop: [proof] }))).toEqual(BAD_PROOF);
    }
  });

  test('whose header carries the private key', async () => {
    const leaked = { ...own, jwk: await exportJWK(own.privateKey) };
    expect(await refused(prove({}, leaked))).toEqual(BAD_PROOF);
  });

  test('when there is none, or more than one', async () => {
    const token = await bound();
    const proof = () => proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now });
    const two = [await proof(), await proof()];
    for (const dpop of [[], two, [two.join(', ')]]) {
      expect(await refused(ask({ authorization: [`DPoP ${token}`], dpop }))).toEqual(BAD_PROOF);
    }
  });

  test('of another key than the one the token names: the token is no good to its sender', async () => {
    expect(await refused(prove({}, foreign))).toEqual(['dpop_invalid', 'invalid_token']);
  });

  test('when our own URI cannot be told', async () => {
    const token = await bound();
    const proof = await proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now });
    const asked = ask({ authorization: [`DPoP ${token}`], dpop: [proof] }, '');
    expect(await refused(asked)).toEqual(BAD_PROOF);
  });
});

describe('a nonce', () => {
  test.each<[string, (() => string) | undefined]>([
    ['that is missing', undefined],
    ['of nobody', () => 'made-up'],
    ['of the process before this one', () => memoryProofChecks(() => START).nonces.current()],
  ])('%s is answered with a good one, which then serves', async (_what, nonce) => {
    const thrown = (await prove({ nonce: nonce?.() }).catch((error: unknown) => error)) as Refusal;
    expect(await refused(Promise.reject(thrown))).toEqual(BAD_NONCE);
    const { caller } = await prove({ nonce: thrown.facts.dpopNonce });
    expect(caller.clientId).toBe('client-1');
  });

  test('three minutes old is old', async () => {
    const nonce = checks.nonces.current();
    clock.now += 180_000;
    expect(await refused(prove({ nonce }))).toEqual(BAD_NONCE);
  });

  test('ties a proof to the process that gave it: what a restart forgets it no longer takes', async () => {
    const token = await bound();
    const proof = await proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now });
    const sent = { authorization: [`DPoP ${token}`], dpop: [proof] };
    await ask(sent);
    checks = memoryProofChecks(() => clock.now);
    expect(await refused(ask(sent))).toEqual(BAD_NONCE);
  });
});

describe('between Bearer and DPoP nothing weaker is taken', () => {
  test('a bearer token as Bearer is let in', async () => {
    const { caller, dpopNonce } = await ask({ authorization: [`Bearer ${await tokenOf(undefined)}`] });
    expect([caller.clientId, caller.jkt, dpopNonce]).toEqual(['client-1', undefined, undefined]);
  });

  test('a bound token as Bearer is refused (RFC 9449 §7.2), also with a good proof beside it', async () => {
    const token = await bound();
    const proof = await proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now });
    expect(await refused(ask({ authorization: [`Bearer ${token}`] }))).toEqual(['dpop_invalid', 'invalid_token']);
    expect(await refused(ask({ authorization: [`Bearer ${token}`], dpop: [proof] }))).toEqual(BAD_PROOF);
  });

  test('a bearer token with a proof beside it is refused, since nothing ties the two', async () => {
    const token = await tokenOf(undefined);
    const proof = await proofBy(own, { htu: URI, token, nonce: checks.nonces.current(), now: clock.now });
    expect(await refused(ask({ authorization: [`Bearer ${token}`], dpop: [proof] }))).toEqual(BAD_PROOF);
  });

  test('a bearer token under the DPoP scheme is refused under that scheme', async () => {
    const thrown = (await prove({}, own, await tokenOf(undefined)).catch((error: unknown) => error)) as Refusal;
    expect([thrown.code, wwwAuthenticate(thrown)?.slice(0, 5)]).toEqual(['token_invalid', 'DPoP ']);
  });

  test('a bad token under the DPoP scheme is refused under that scheme, and its proof is not spent', async () => {
    const expired = await bound(own, { exp: START / 1000 - 60 });
    const thrown = (await prove({ claims: { jti: 'kept' } }, own, expired).catch((error: unknown) => error)) as Refusal;
    expect([thrown.code, thrown.facts]).toEqual(['token_invalid', { scheme: 'DPoP' }]);
    expect((await prove({ claims: { jti: 'kept' } })).caller.clientId).toBe('client-1');
  });

  test('a proof is no token for another audience (RFC 9068 §4 holds beside RFC 9449)', async () => {
    const elsewhere = await bound(own, { aud: 'https://other.example' });
    expect(await refused(prove({}, own, elsewhere))).toEqual(['token_invalid', 'invalid_token']);
  });
});

test('the signature of a proof is looked at when all else is right, its nonce too', async () => {
  let verified = 0;
  checks = {
    ...memoryProofChecks(() => clock.now),
    signerOf: proofSigners((...args) => {
      verified += 1;
      return verify(...args);
    }),
  };
  expect(await refused(prove({ nonce: undefined }))).toEqual(BAD_NONCE);
  expect(verified).toBe(0);
  await prove();
  expect(verified).toBe(1);
});

test('when no more proofs can be kept for a principal it waits, and when none at all everybody does', async () => {
  const now = () => clock.now;
  const few = (perPrincipal: number, inAll: number): ProofChecks => ({
    nonces: nonces(new Uint8Array(32), now),
    replay: memoryProofReplay(now, { perPrincipal, inAll }),
    signerOf: proofSigners(verify),
    now,
  });
  checks = few(1, 10);
  await prove();
  expect(await refused(prove())).toEqual(['rate_limited', undefined]);
  checks = few(10, 1);
  await prove();
  expect(await refused(prove())).toEqual(['overloaded', undefined]);
});
