import { hash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { localKeys } from './jwks.http.js';
import type { SigningKeys, TokenRules } from './token.js';

/** An issuer with a clock of its own, that counts how often somebody looks for its key: once for each verification. */
export async function countingIssuer(start: number) {
  const pair = await generateKeyPair('ES256');
  const clock = { now: start };
  let looked = 0;
  const local = localKeys({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] });
  const keyFor: SigningKeys = (header, token) => {
    looked += 1;
    return local(header, token);
  };
  const keys: SigningKeys = Object.assign(keyFor, { withdrawals: () => 0 });
  const rules = { issuer: 'https://auth.example', audience: 'https://mcp.example/mcp', keys, now: () => clock.now };
  return {
    clock,
    rules: rules satisfies TokenRules,
    /** verifications so far */
    verified: () => looked,
    /** a bearer token of client-1 for a quarter of an hour, but for the claims */
    token: (claims: JWTPayload = {}) =>
      new SignJWT({
        iss: rules.issuer,
        aud: rules.audience,
        sub: 'client-1',
        client_id: 'client-1',
        jti: 'jti-1',
        iat: start / 1000,
        exp: start / 1000 + 900,
        scope: 'customer:read',
        tenant: 'acme',
        ceiling: 'customer:read',
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
        .sign(pair.privateKey),
  };
}
export type CountingIssuer = Awaited<ReturnType<typeof countingIssuer>>;

/** How a token is known (RFC 9449 §4.2, `ath`). */
export const athOf = (token: string): string => hash('sha256', token, 'base64url');
