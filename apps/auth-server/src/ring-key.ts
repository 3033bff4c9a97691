import { createPublicKey, type KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '@portcullis/scopes/algorithms';
import type { JWK } from 'jose';
import { ExternalSigningKey } from 'oidc-provider';
import type { KeyRing } from './key-ring.js';

/**
 * What oidc-provider, whose keys are fixed when it is made, takes for the one key of an algorithm: in truth whichever
 * key of the ring signs at this moment. oidc-provider writes `kid` into the header and then has the whole signed; the
 * ring signs with the key of that kid, so a rotation in between does no harm.
 */
export class RingKey extends ExternalSigningKey {
  readonly #ring: KeyRing;
  readonly #alg: SigningAlgorithm;

  constructor(ring: KeyRing, alg: SigningAlgorithm) {
    super();
    this.#ring = ring;
    this.#alg = alg;
  }

  override get alg(): string {
    return this.#alg;
  }
  override get kid(): string {
    return this.#jwk.kid ?? '';
  }
  override get kty(): string {
    return this.#jwk.kty ?? '';
  }
  override get crv(): string | undefined {
    return this.#jwk.crv;
  }
  override get x(): string | undefined {
    return this.#jwk.x;
  }
  override get y(): string | undefined {
    return this.#jwk.y;
  }
  override get n(): string | undefined {
    return this.#jwk.n;
  }
  override get e(): string | undefined {
    return this.#jwk.e;
  }

  override keyObject(): KeyObject {
    return createPublicKey({ key: this.#jwk, format: 'jwk' });
  }
  override sign(data: Uint8Array): Promise<Uint8Array> {
    return this.#ring.sign(data);
  }

  get #jwk(): JWK {
    const key = this.#ring.current(this.#alg);
    if (key === undefined) throw new Error(`there is no ${this.#alg} key`);
    return key.publicJwk;
  }
}
