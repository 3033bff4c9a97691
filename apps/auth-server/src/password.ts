import { argon2, timingSafeEqual } from 'node:crypto';

/**
 * OWASP's second choice for argon2id (19 MiB, 2 passes, 1 lane). Node runs at most four at once on its thread pool, so
 * that a flood of logins costs 76 MiB at most. memory in KiB, tagLength in bytes.
 */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
export const SALT_BYTES = 16;
/** No hash is worth more work than this: whoever can write the table must not be able to stall the server. */
const MOST = { memory: 262_144, passes: 10, parallelism: 4 };

/** @returns a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH` (https://github.com/P-H-C/phc-string-format) */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  const { memory, passes, parallelism } = PARAMETERS;
  const hash = await argon2id(password, salt, PARAMETERS);
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/;

/** Compares in constant time. @returns false for a hash that is no argon2id PHC string too */
export async function passwordMatches(password: string, phc: string): Promise<boolean> {
  const [, m, t, p, salt, hash] = PHC.exec(phc) ?? [];
  if (salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const work = { memory: Number(m), passes: Number(t), parallelism: Number(p), tagLength: expected.length };
  if (work.memory > MOST.memory || work.passes > MOST.passes || work.parallelism > MOST.parallelism) return false;
  return timingSafeEqual(await argon2id(password, Buffer.from(salt, 'base64'), work), expected);
}

const argon2id = (password: string, nonce: Uint8Array, work: typeof PARAMETERS): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    // the same characters typed on another keyboard are the same password (RFC 8265 §4.2)
    const message = password.normalize('NFC');
    argon2('argon2id', { message, nonce, ...work }, (error, hash) => (error ? reject(error) : resolve(hash)));
  });

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
