import { createHmac, randomBytes } from 'node:crypto';
import { SIGNED_TOPICS, STATEMENT_TYPE } from '@portcullis/contract/containment';
import { createLocalJWKSet, decodeProtectedHeader, importJWK, compactVerify } from 'jose';
import { KeysUnavailable } from './jwks.http.js';
import { readStatement, statementSigner } from './statement.js';

const STANDING = 'portcullis.standing';
const KEY = 'default/agt_1';
const BODY = { state: 'Isolated' };
const seed = randomBytes(32);
const analytics = statementSigner('security-analytics', [seed]);
const authServer = statementSigner('auth-server', [randomBytes(32)]);
const { keys } = analytics;
const read = (value: string, key = KEY) => readStatement(STANDING, { key, value }, keys);
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a statement is read as it was said, and any JOSE library verifies it', async () => {
  const value = analytics.sign(STANDING, KEY, 7, BODY);
  expect(await read(value)).toEqual({ signer: 'security-analytics', topic: STANDING, key: KEY, seq: 7, body: BODY });
  const jwk = analytics.jwks.keys[0]!;
  expect(decodeProtectedHeader(value)).toEqual({ alg: 'EdDSA', typ: STATEMENT_TYPE, kid: jwk.kid });
  await expect(compactVerify(value, await importJWK(jwk, 'EdDSA'))).resolves.toBeDefined();
});

test('what is published of a key says nothing of its private half', () => {
  expect(Object.keys(analytics.jwks.keys[0]!).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  expect(JSON.stringify(analytics.jwks)).not.toContain(Buffer.from(seed).toString('base64url'));
});

test('the same seed is the same key in every replica, and a seed of another size is refused', () => {
  expect(statementSigner('security-analytics', [seed]).jwks).toEqual(analytics.jwks);
  expect(() => statementSigner('auth-server', [randomBytes(31)])).toThrow(RangeError);
});

test.each<[string, () => string, string]>([
  ['plain JSON', () => JSON.stringify(BODY), 'unsigned'],
  ['nothing of the kind', () => 'a.b.c', 'unsigned'],
  ['with alg none', () => `${base64url({ alg: 'none', typ: STATEMENT_TYPE })}.${base64url(BODY)}.`, 'unsigned'],
  ['too large', () => analytics.sign(STANDING, KEY, 1, 'x'.repeat(SIGNED_TOPICS[STANDING].mostCharacters)), 'unsigned'],
  ['signed by another service', () => authServer.sign(STANDING, KEY, 1, BODY), 'unknown_key'],
  [
    'signed by somebody who says they are that service',
    () => statementSigner('security-analytics', [randomBytes(32)]).sign(STANDING, KEY, 1, BODY),
    'unknown_key',
  ],
  [
    'changed',
    () => {
      const [header, , signature] = analytics.sign(STANDING, KEY, 1, BODY).split('.');
      const other = { signer: 'security-analytics', topic: STANDING, key: KEY, seq: 1, body: { state: 'Normal' } };
      return `${header}.${base64url(other)}.${signature}`;
    },
    'bad_signature',
  ],
  [
    'signed with the public key as a secret (RFC 8725 §2.1)',
    () => {
      const jwk = analytics.jwks.keys[0]!;
      const input = `${base64url({ alg: 'HS256', typ: STATEMENT_TYPE, kid: jwk.kid })}.${base64url(BODY)}`;
      return `${input}.${createHmac('sha256', Buffer.from(jwk.x!, 'base64url')).update(input).digest('base64url')}`;
    },
    'unsigned',
  ],
  ['of another key', () => analytics.sign(STANDING, 'default/agt_2', 1, BODY), 'misplaced'],
  ['of another tenant', () => analytics.sign(STANDING, 'other/agt_1', 1, BODY), 'misplaced'],
  ['of another topic', () => analytics.sign('portcullis.revocations', KEY, 1, BODY), 'misplaced'],
  ['without a place in the order', () => analytics.sign(STANDING, KEY, -1, BODY), 'not_understood'],
])('a message that is %s says nothing', async (_what, value, why) => expect(await read(value())).toBe(why));

test('a signer says its own topic only, though its keys are published for it', async () => {
  const impostor = statementSigner('auth-server', [seed]);
  expect(await read(impostor.sign(STANDING, KEY, 1, BODY))).toBe('misplaced');
});

test('keys that cannot be had say nothing about a message', async () => {
  const away = Object.assign(() => Promise.reject(new KeysUnavailable('away')), {});
  const value = analytics.sign(STANDING, KEY, 1, BODY);
  await expect(readStatement(STANDING, { key: KEY, value }, away)).rejects.toThrow(KeysUnavailable);
});

test('a new key that was published beside the old one takes over, and what the old one signed stays good', async () => {
  const next = randomBytes(32);
  const announced = createLocalJWKSet(statementSigner('security-analytics', [seed, next]).jwks);
  const taken = statementSigner('security-analytics', [next, seed]);
  const [old, young] = [analytics, taken].map((signer) => signer.sign(STANDING, KEY, 1, BODY));
  for (const value of [old!, young!]) {
    expect(await readStatement(STANDING, { key: KEY, value }, announced)).toMatchObject({ seq: 1 });
    expect(await readStatement(STANDING, { key: KEY, value }, taken.keys)).toMatchObject({ seq: 1 });
  }
  expect(await read(young!)).toBe('unknown_key');
});
