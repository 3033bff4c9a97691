import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import * as z from 'zod';
import { serviceKeyOf, serviceKeySetting } from './service-key.js';
import { isSecret } from './setting.js';
import { readSettings } from './settings.js';

const jwkOf = ({ privateKey }: ReturnType<typeof generateKeyPairSync>) =>
  (privateKey as unknown as { export(how: object): Record<string, string> }).export({ format: 'jwk' });
const ec = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const okp = jwkOf(generateKeyPairSync('ed25519'));

test.each([
  ['P-256', ec, 'ES256'],
  ['Ed25519', okp, 'EdDSA'],
])('a private key of %s is good for one algorithm', (_, key, alg) => {
  expect(serviceKeyOf(JSON.stringify({ ...key, kid: 'k', use: 'sig', more: 1 }))).toEqual({
    jwk: { ...key, kid: 'k' },
    alg,
  });
});

const { d: _d, ...publicKey } = ec;
const WRONG: readonly [string, string][] = [
  ['no JSON', 'hunter2-hunter2'],
  ['a public key', JSON.stringify(publicKey)],
  ['a set of keys', JSON.stringify({ keys: [ec] })],
  ['another curve', JSON.stringify(jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' })))],
  ['RSA', JSON.stringify(jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 })))],
  ['a point off the curve', JSON.stringify({ ...ec, y: 'b'.repeat(43) })],
  ['a symmetric key', JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' })],
];
const schema = z.object({ SERVICE_KEY: serviceKeySetting().optional() });

test.each(WRONG)('%s is none, and is not shown', (_, text) => {
  for (const read of [() => serviceKeyOf(text), () => readSettings(schema, { SERVICE_KEY: text })]) {
    expect(read).toThrow(/must be one private key as JWK/);
    expect(read).not.toThrow(text);
  }
});

test('as a setting it is a secret, which a file may hold, and does not print itself', () => {
  expect(isSecret(schema.shape.SERVICE_KEY)).toBe(true);
  const text = JSON.stringify(ec);
  const settings = readSettings(schema, { SERVICE_KEY_FILE: '/run/key' }, () => text);
  expect(settings.SERVICE_KEY?.reveal()).toBe(text);
  expect(`${JSON.stringify(settings)}${inspect(settings)}`).not.toContain(ec['d']);
});
