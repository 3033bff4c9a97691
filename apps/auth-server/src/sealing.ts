import { compactDecrypt, CompactEncrypt, type JWK } from 'jose';
import { KeyCannotBeOpened } from './signer.js';

/** AES-256-GCM (RFC 7516, `dir`, A256GCM). The header, and with it the kid, is authenticated too. */
export const sealKey = (privateJwk: JWK, kid: string, kek: Uint8Array): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(JSON.stringify(privateJwk)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
    .encrypt(kek);

/**
 * @param keks the present KEY_ENCRYPTION_KEY and, while it is being rotated, the other one
 * @returns the private key, and which of `keks` opened it
 * @throws KeyCannotBeOpened when none of them fits, or the row holds another key's seal
 */
export async function openKey(
  { kid, sealed }: { readonly kid: string; readonly sealed: string },
  keks: readonly Uint8Array[],
): Promise<{ readonly jwk: JWK; readonly by: number }> {
  for (const [by, kek] of keks.entries()) {
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, kek, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      if (protectedHeader.kid !== kid) break;
      return { jwk: JSON.parse(new TextDecoder().decode(plaintext)) as JWK, by };
    } catch {
      // the next one may fit
    }
  }
  throw new KeyCannotBeOpened(
    `Signing key ${kid} cannot be opened: KEY_ENCRYPTION_KEY is not the one it was sealed with. Put that key back.`,
  );
}
