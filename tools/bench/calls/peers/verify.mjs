// The verifier that a user writes from jose's README: remote JWKS, issuer, audience, expiry, algorithm.
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { issuer, RESOURCE } from '../shared.mjs';

const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
const rules = { issuer, audience: RESOURCE, algorithms: ['ES256'], requiredClaims: ['exp', 'sub'] };

export async function verifyJwt(token) {
  const { payload } = await jwtVerify(token, keys, rules);
  return payload;
}

/** @throws when there is no bearer token, or a bad one */
export async function verifyHeader(header) {
  if (header?.startsWith('Bearer ') !== true) throw new Error('no bearer token');
  return verifyJwt(header.slice(7));
}

export const scopesOf = ({ scope }) =>
  String(scope ?? '')
    .split(' ')
    .filter(Boolean);
