import type { SigningAlgorithm } from '@portcullis/scopes/algorithms';
import type { PublicJwk } from './clients.js';

/** One private key, wherever it lies: it can be told to sign, and that is all. */
export interface Signer {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly publicJwk: PublicJwk;
  /**
   * @param data the JWS signing input (RFC 7515 §5.1)
   * @returns the signature as JWS has it: for ES256 the 64 bytes of R and S (RFC 7518 §3.4), not DER
   */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** A key that was just made. */
export interface NewKey {
  /** RFC 7638 thumbprint */
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  /** carries its kid */
  readonly publicJwk: PublicJwk;
  /** what {@link Signers.open} needs to find the private key again: the sealed key itself, or a vault's name for it */
  readonly sealed: string;
}

/**
 * Where private keys come from. This is the one place for a KMS or an HSM (PKCS#11): `make` makes a key over there and
 * keeps its name as `sealed`, `open` gives a signer that asks it. Each must pass signer.contract.ts.
 */
export interface Signers {
  make(alg: SigningAlgorithm): Promise<NewKey>;
  /** @throws KeyCannotBeOpened */
  open(key: NewKey): Promise<Signer>;
  /**
   * The key as the newest sealing key seals it, when it is sealed with an older one; else undefined.
   * @throws KeyCannotBeOpened
   */
  reseal(key: NewKey): Promise<string | undefined>;
}

/** A stored signing key does not open. The message says what to do. */
export class KeyCannotBeOpened extends Error {
  override readonly name = 'KeyCannotBeOpened';
}
