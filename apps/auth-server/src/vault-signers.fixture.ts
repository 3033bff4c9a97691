import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { PublicJwk } from './clients.js';
import { KeyCannotBeOpened, type NewKey, type Signers } from './signer.js';

/** A vault as a KMS or an HSM is one: it makes keys, signs with the one that is named, and gives none away. */
export function vault() {
  const kept = new Map<string, KeyObject>();
  const kind = { ES256: 'ec', RS256: 'rsa', EdDSA: 'ed25519' } as const;
  const named = ({ kid, sealed }: NewKey): KeyObject => {
    const key = sealed === `vault:${kid}` ? kept.get(sealed) : undefined;
    if (key === undefined) throw new KeyCannotBeOpened(`the vault has no key ${kid}`);
    return key;
  };
  const asked = { signatures: 0 };
  const signers: Signers = {
    async make(alg) {
      const options = { namedCurve: 'P-256', modulusLength: 2048 };
      const { privateKey, publicKey } = generateKeyPairSync(kind[alg] as 'ec', options);
      const publicJwk = publicKey.export({ format: 'jwk' }) as JWK;
      const kid = await calculateJwkThumbprint(publicJwk);
      kept.set(`vault:${kid}`, privateKey);
      return { kid, alg, publicJwk: { ...(publicJwk as PublicJwk), kid }, sealed: `vault:${kid}` };
    },
    async open(made) {
      named(made);
      const { kid, alg, publicJwk } = made;
      return {
        kid,
        alg,
        publicJwk,
        async sign(data) {
          // it lies at the end of a network
          await new Promise((resolve) => setTimeout(resolve, 5));
          asked.signatures += 1;
          const hash = alg === 'EdDSA' ? null : 'sha256';
          return sign(hash, data, { key: named(made), dsaEncoding: 'ieee-p1363' });
        },
      };
    },
    reseal: (key) => Promise.resolve(void named(key)),
  };
  return { signers, asked };
}
