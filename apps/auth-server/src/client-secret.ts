import { createHmac, type KeyObject } from 'node:crypto';
import { sameText } from './constant-time.js';

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
 * What a presented secret could be stored as.
 * @param keys the present SECRET_HASH_KEY and, while it is being rotated, the one before
 * @returns one hash for each key, in their order
 */
export const secretHashes = (keys: readonly SecretHashKey[], clientId: string, secret: string): string[] =>
  keys.map((key) => secretHash(key, clientId, secret));

/**
 * Compares in constant time; every hash is compared, so that the time does not tell which one fits.
 * @returns the index of the hash that is stored, and with it of its key; -1 when it is another secret's
 */
export const indexOfHash = (hashes: readonly string[], stored: string): number =>
  hashes.map((hash) => sameText(hash, stored)).indexOf(true);
