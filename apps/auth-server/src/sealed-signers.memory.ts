import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '@portcullis/scopes/algorithms';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { PublicJwk } from './clients.js';
import { openKey, sealKey } from './sealing.js';
import type { Signer, Signers } from './signer.js';

/**
 * Keys of this process's own making, kept sealed in the database and open in memory only.
 * @param keks KEY_ENCRYPTION_KEY: the first seals, all open
 */
export const sealedSigners = (keks: readonly [Uint8Array, ...Uint8Array[]]): Signers => ({
  async make(alg) {
    // RSA of 2048 bits (RFC 7518 §3.3 asks for no less): a key signs for a month, and 3072 bits take three times as long
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
    const publicJwk = (await exportJWK(publicKey)) as PublicJwk;
    const kid = await calculateJwkThumbprint(publicJwk);
    const sealed = await sealKey({ ...(await exportJWK(privateKey)), kid }, kid, keks[0]);
    return { kid, alg, publicJwk: { ...publicJwk, kid }, sealed };
  },

  async open(key) {
    const { jwk } = await openKey(key, keks);
    return signerOf(key, createPrivateKey({ key: jwk, format: 'jwk' }));
  },

  async reseal(key) {
    const { jwk, by } = await openKey(key, keks);
    return by === 0 ? undefined : sealKey(jwk, key.kid, keks[0]);
  },
});

/** Signs on another thread, so that this one serves requests meanwhile; RSA takes a millisecond. */
function signerOf({ kid, alg, publicJwk }: Pick<Signer, 'kid' | 'alg' | 'publicJwk'>, key: KeyObject): Signer {
  // the option on the key itself: an object around it would cost as much as the signature
  if (alg === 'ES256') Object.assign(key, { dsaEncoding: 'ieee-p1363' });
  const digest = DIGESTS[alg];
  return {
    kid,
    alg,
    publicJwk,
    sign: (data) =>
      new Promise((resolve, reject) => {
        sign(digest, data, key, (error, signature) => (error ? reject(error) : resolve(signature)));
      }),
  };
}
const DIGESTS = { ES256: 'sha256', RS256: 'sha256', EdDSA: null } satisfies Record<SigningAlgorithm, string | null>;
