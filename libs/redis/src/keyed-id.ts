import { createHmac } from 'node:crypto';

/** Names something without telling what it is to whoever reads the store, who could guess an id and compare its plain digest. */
export type KeyedId = (...words: readonly string[]) => string;

/**
 * HMAC-SHA-256 over the words, cut to 128 bits: two of 2^40 ids are the same one with a chance of 2^-48.
 * @param key 32 bytes, the same in every replica
 */
export function keyedId(key: Uint8Array): KeyedId {
  if (key.length < 32) throw new RangeError('the key of a keyed id has 32 bytes');
  return (...words) => createHmac('sha256', key).update(JSON.stringify(words)).digest('base64url').slice(0, 22);
}
