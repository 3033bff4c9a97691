import { hkdfSync } from 'node:crypto';
import { compactDecrypt, CompactEncrypt } from 'jose';

/**
 * Seals the successor of a refresh token with a key that only the token itself gives: HKDF-SHA-256 (RFC 5869), then
 * AES-256-GCM. The database has the token's hash and the seal, which together open nothing; whoever presents the token
 * again can be given the same successor. No salt: a token is 256 random bits, and its key seals one thing.
 */
export const sealSuccessor = (token: string, successor: string): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(successor))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(keyOf(token));

/** @throws JOSEError when the seal is another token's */
export async function openSuccessor(token: string, sealed: string): Promise<string> {
  const { plaintext } = await compactDecrypt(sealed, keyOf(token), {
    keyManagementAlgorithms: ['dir'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  return new TextDecoder().decode(plaintext);
}

const keyOf = (token: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', token, new Uint8Array(0), 'portcullis/refresh-successor', 32));
