import type { SigningAlgorithm } from '@portcullis/scopes/algorithms';
import type { Database } from '@portcullis/sql/database';
import { sql, type Insertable, type Kysely, type Selectable } from 'kysely';
import type { SigningKeys, StoredKey } from './signing-keys.js';
import { AUTH, type AuthTables } from './tables.js';

export function sqlSigningKeys(database: Database): SigningKeys {
  const db = database.schema<AuthTables>(AUTH);
  return {
    list: () => listed(db),

    change: (decide, confirm) =>
      db.transaction().execute(async (trx) => {
        // row locks would not do: the first of all keys has no row yet
        await sql`select pg_advisory_xact_lock(hashtext('portcullis/auth/signing_keys'))`.execute(trx);
        const before = await listed(trx);
        const change = decide(before);
        if (change === undefined) return before;
        if (change.remove.length > 0) await trx.deleteFrom('signing_keys').where('kid', 'in', change.remove).execute();
        for (const { kid, state, notBefore, notAfter } of change.move) {
          await trx
            .updateTable('signing_keys')
            .set({ state, not_before: new Date(notBefore), not_after: timeOf(notAfter) })
            .where('kid', '=', kid)
            .execute();
        }
        if (change.add.length > 0) await trx.insertInto('signing_keys').values(change.add.map(rowOf)).execute();
        await confirm(change);
        return listed(trx);
      }),

    async reseal(kid, from, to) {
      await db
        .updateTable('signing_keys')
        .set({ sealed: to })
        .where('kid', '=', kid)
        .where('sealed', '=', from)
        .execute();
    },
  };
}

async function listed(db: Kysely<AuthTables>): Promise<StoredKey[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .selectAll()
    .orderBy(sql`case state when 'active' then 0 when 'next' then 1 else 2 end`)
    .orderBy('not_before')
    .orderBy('kid')
    .execute();
  return rows.map(keyOf);
}

const keyOf = (row: Selectable<AuthTables['signing_keys']>): StoredKey => ({
  kid: row.kid,
  alg: row.alg as SigningAlgorithm,
  state: row.state,
  publicJwk: row.public_jwk,
  sealed: row.sealed,
  notBefore: row.not_before.getTime(),
  notAfter: row.not_after?.getTime(),
});

const rowOf = (key: StoredKey): Insertable<AuthTables['signing_keys']> => ({
  kid: key.kid,
  alg: key.alg,
  state: key.state,
  public_jwk: JSON.stringify(key.publicJwk),
  sealed: key.sealed,
  not_before: new Date(key.notBefore),
  not_after: timeOf(key.notAfter),
});

const timeOf = (at: number | undefined): Date | null => (at === undefined ? null : new Date(at));
