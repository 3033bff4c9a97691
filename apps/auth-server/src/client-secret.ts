import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';

/** A client secret: 256 random bits, with a prefix by which scanners find leaked ones. */
export const clientSecretOf = (random32: Uint8Array): string => `pcs_${Buffer.from(random32).toString('base64url')}`;

/** A SECRET_HASH_KEY. As a KeyObject, since Node spends ten times a hash's own time on turning bytes into one. */
export type SecretHashKey = KeyObject | Uint8Array;

/**
 * What is stored of a secret: HMAC-SHA-256 under SECRET_HASH_KEY, base64url. The client's id goes in, so that a hash
 * copied to another client's row opens nothing. A slow hash would add nothing: there is no guessing 256 random bits.
 */
export const secretHash = (key: SecretHashKey, clientId: string, secret: string): string =>
  createHmac('sha256', key).update(`${clientId}\0${secret}`).digest('base64url');

/**
 * Compares in constant time.
 * @param keys the present SECRET_HASH_KEY and, while it is being rotated, the one before
 * @returns the key under which the secret has this hash; undefined when it is another secret
 */
export const secretKeyOf = (
  keys: readonly SecretHashKey[],
  clientId: string,
  secret: string,
  stored: string,
): SecretHashKey | undefined =>
  // every key is tried, so that the time does not tell which one fits
  keys.filter((key) => equal(secretHash(key, clientId, secret), stored))[0];

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
