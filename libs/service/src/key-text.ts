import type { Secret } from '@portcullis/contract/secret';

/** What every symmetric key of ours is: 32 random bytes, written as base64url (43 characters, no padding). */
const KEY = /^[A-Za-z0-9_-]{43}$/;
/** 32 random bytes have fewer distinct values than this about once in 10^20; typed and repeated ones nearly always do. */
const FEWEST_DISTINCT_BYTES = 16;

/** What is wrong with a key, in words that do not show it; undefined when nothing is. */
export function keyProblem(text: string): string | undefined {
  if (!KEY.test(text)) return 'must be 32 random bytes as base64url (43 characters)';
  if (new Set(decode(text)).size < FEWEST_DISTINCT_BYTES) return 'is not random; make 32 random bytes as base64url';
  return undefined;
}

/** The 32 bytes of a key that {@link keyProblem} found nothing wrong with. */
export const keyBytes = (key: Secret): Uint8Array => decode(key.reveal());

const decode = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
