import { generateKeyPairSync } from 'node:crypto';
import { decodeProtectedHeader, importJWK, jwtVerify, type JWK } from 'jose';
import { clientAssertion } from './assertion.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'local-admin' };
const NOW = 1_800_000_000_500;

test('the assertion proves the key to the issuer, for a minute and once', async () => {
  const assertion = await clientAssertion(jwk, 'http://127.0.0.1:4400', NOW, 'random-1');
  const key = await importJWK(publicKey.export({ format: 'jwk' }) as JWK, 'ES256');
  const { payload } = await jwtVerify(assertion, key, { currentDate: new Date(NOW), algorithms: ['ES256'] });
  expect(payload).toEqual({
    iss: 'local-admin',
    sub: 'local-admin',
    aud: 'http://127.0.0.1:4400',
    jti: 'random-1',
    iat: 1_800_000_000,
    exp: 1_800_000_060,
  });
  expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'ES256', kid: 'local-admin' });
});

test('a public key alone makes no assertion', async () => {
  const half = publicKey.export({ format: 'jwk' }) as Record<string, unknown>;
  await expect(clientAssertion(half, 'http://127.0.0.1:4400', NOW, 'x')).rejects.toThrow();
});
