import { compactDecrypt, CompactEncrypt, type JWK } from 'jose';
import type { PublicJwk } from './clients.js';

/** `next` is published but does not sign yet; `retiring` is published but signs no more. */
export type KeyState = 'next' | 'active' | 'retiring';

/** A signing key as it is stored. */
export interface SealedKey {
  readonly kid: string;
  readonly alg: 'ES256';
  readonly state: KeyState;
  readonly publicJwk: PublicJwk;
  /** the private key as JWE, see {@link sealKey} */
  readonly sealed: string;
  /** ms since epoch */
  readonly notBefore: number;
  /** ms since epoch; undefined = no end is set */
  readonly notAfter: number | undefined;
}

/** The issuer's signing keys: one issuer signs for all tenants. Must pass signing-keys.contract.ts. */
export interface SigningKeys {
  /** active first, then by when they began */
  list(): Promise<readonly SealedKey[]>;
  /** Keeps the key unless there is an active one already; of two at once one is kept. */
  addFirst(key: SealedKey): Promise<void>;
}

/** The stored signing keys cannot be opened with KEY_ENCRYPTION_KEY. */
export class KeysCannotBeOpened extends Error {
  override readonly name = 'KeysCannotBeOpened';
}

/**
 * The private signing keys, active first.
 * @param makeKey makes the first one when there is none
 * @throws KeysCannotBeOpened
 */
export async function openSigningKeys(
  keys: SigningKeys,
  keks: readonly Uint8Array[],
  makeKey: () => Promise<SealedKey>,
): Promise<JWK[]> {
  if ((await keys.list()).length === 0) await keys.addFirst(await makeKey());
  return Promise.all((await keys.list()).map((key) => openKey(key, keks)));
}

/** AES-256-GCM (RFC 7516, `dir`, A256GCM). The header, and with it the kid, is authenticated too. */
export const sealKey = (privateJwk: JWK, kek: Uint8Array): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(JSON.stringify(privateJwk)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: privateJwk.kid ?? '' })
    .encrypt(kek);

/**
 * @param keks the present KEY_ENCRYPTION_KEY and, while it is being rotated, the one before
 * @throws KeysCannotBeOpened when none of them fits, or the row holds another key's seal
 */
export async function openKey({ kid, sealed }: SealedKey, keks: readonly Uint8Array[]): Promise<JWK> {
  for (const kek of keks) {
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, kek, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      if (protectedHeader.kid !== kid) break;
      return { ...(JSON.parse(new TextDecoder().decode(plaintext)) as JWK), kid, alg: 'ES256', use: 'sig' };
    } catch {
      // the next one may fit
    }
  }
  throw new KeysCannotBeOpened(
    `Signing key ${kid} cannot be opened: KEY_ENCRYPTION_KEY is not the one it was sealed with. Put that key back.`,
  );
}

/** What verifiers get (RFC 7517): the public members only. */
export const publicKeySet = (keys: readonly JWK[]): { keys: JWK[] } => ({
  keys: keys.map(({ kty, crv, x, y, kid, alg, use }) => ({ kty, crv, x, y, kid, alg, use }) as JWK),
});
