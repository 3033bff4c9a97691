import type { Database } from '@portcullis/sql/database';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { sql } from 'kysely';
import type { PublicJwk } from './clients.js';
import { sealKey, type SealedKey, type SigningKeys } from './signing-keys.js';
import { AUTH, type AuthTables } from './tables.js';

export function sqlSigningKeys(database: Database): SigningKeys {
  const db = database.schema<AuthTables>(AUTH);
  return {
    async list() {
      const rows = await db
        .selectFrom('signing_keys')
        .selectAll()
        .orderBy(sql`case state when 'active' then 0 else 1 end`)
        .orderBy('not_before')
        .orderBy('kid')
        .execute();
      return rows.map((row): SealedKey => ({
        kid: row.kid,
        alg: 'ES256',
        state: row.state,
        publicJwk: row.public_jwk,
        sealed: row.sealed,
        notBefore: row.not_before.getTime(),
        notAfter: row.not_after?.getTime(),
      }));
    },

    async addFirst(key) {
      await db
        .insertInto('signing_keys')
        .values({
          kid: key.kid,
          alg: key.alg,
          state: key.state,
          public_jwk: JSON.stringify(key.publicJwk),
          sealed: key.sealed,
          not_before: new Date(key.notBefore),
          not_after: key.notAfter === undefined ? null : new Date(key.notAfter),
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
  };
}

/** A fresh ES256 key, active from `now` (ms since epoch), its private half sealed with `kek`. */
export async function newSigningKey(kek: Uint8Array, now: number): Promise<SealedKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = (await exportJWK(publicKey)) as PublicJwk;
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    kid,
    alg: 'ES256',
    state: 'active',
    publicJwk: { ...publicJwk, kid },
    sealed: await sealKey({ ...(await exportJWK(privateKey)), kid }, kek),
    notBefore: now,
    notAfter: undefined,
  };
}
