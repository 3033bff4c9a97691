import { importJWK, SignJWT } from 'jose';

/** The client that the local administrator's key belongs to. */
export const LOCAL_ADMIN = 'local-admin';
const LIFE_SECONDS = 60;

/**
 * A client assertion that proves the administrator's key, good for one request within a minute.
 * @param key      private P-256 JWK
 * @param audience the issuer
 * @param now      ms since epoch
 * @param id       fresh and random, since the server takes each only once
 * @throws when the JWK is not an EC private key
 * @see RFC 7523 §3, OpenID Connect Core §9 (private_key_jwt)
 */
export async function clientAssertion(
  key: Readonly<Record<string, unknown>>,
  audience: string,
  now: number,
  id: string,
): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', ...(typeof key.kid === 'string' && { kid: key.kid }) })
    .setIssuer(LOCAL_ADMIN)
    .setSubject(LOCAL_ADMIN)
    .setAudience(audience)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFE_SECONDS)
    .sign(await importJWK(key, 'ES256'));
}
