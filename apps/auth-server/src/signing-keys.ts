import type { Confirm } from './paging.js';
import type { NewKey } from './signer.js';

/** `next` is published but does not sign yet; `retiring` is published but signs no more. */
export type KeyState = 'next' | 'active' | 'retiring';

/** A signing key as it is stored. Its private half is sealed, or lies in a vault. */
export interface StoredKey extends NewKey {
  readonly state: KeyState;
  /** ms since epoch; when it may sign (`next`), or when it began to (`active`, `retiring`) */
  readonly notBefore: number;
  /** ms since epoch; when it is taken out of the key set. undefined = no end is set */
  readonly notAfter: number | undefined;
}

/** What becomes of the stored keys, in the order removed, moved, added. */
export interface StoredKeyChange {
  readonly remove: readonly string[];
  readonly move: readonly Pick<StoredKey, 'kid' | 'state' | 'notBefore' | 'notAfter'>[];
  readonly add: readonly StoredKey[];
}

/** The issuer's signing keys: one issuer signs for all tenants. Must pass signing-keys.contract.ts. */
export interface SigningKeys {
  /** active first, then next, then retiring; by when they began */
  list(): Promise<readonly StoredKey[]>;
  /**
   * Lets `decide` see all keys and does what it says. One at a time over all processes, so that of two who would do the
   * same the second sees that it is done. Nothing changes unless `confirm` resolves.
   * @param decide undefined = nothing is to be done; what it throws comes out of here, and nothing changes
   * @returns the keys afterwards
   */
  change(
    decide: (keys: readonly StoredKey[]) => StoredKeyChange | undefined,
    confirm: (change: StoredKeyChange) => ReturnType<Confirm>,
  ): Promise<readonly StoredKey[]>;
  /** Replaces the seal if it is still `from`. */
  reseal(kid: string, from: string, to: string): Promise<void>;
}
