import type { Database } from '@portcullis/sql/database';
import type { Insertable, Kysely, Selectable } from 'kysely';
import { artefactHash, type Artefact, type Artefacts, type StoredArtefact } from './artefacts.js';
import { sweepExpired } from './sweep.sql.js';
import { AUTH, type AuthTables } from './tables.js';

export function sqlArtefacts(database: Database): Artefacts {
  const db = database.schema<AuthTables>(AUTH);
  return {
    async put(artefact) {
      const { kind: _kind, id_hash: _hash, ...row } = rowOf(artefact);
      await db
        .insertInto('artefacts')
        .values(rowOf(artefact))
        // what was used stays used: `consumed_at` is not in the row
        .onConflict((conflict) => conflict.columns(['kind', 'id_hash']).doUpdateSet(row))
        .execute();
    },

    async putOnce(artefact) {
      const added = await db
        .insertInto('artefacts')
        .values(rowOf(artefact))
        .onConflict((conflict) => conflict.doNothing())
        .returning('kind')
        .executeTakeFirst();
      return added !== undefined;
    },

    async find(kind, idHash, now) {
      const row = await db
        .selectFrom('artefacts')
        .select(['payload', 'consumed_at'])
        .where('kind', '=', kind)
        .where('id_hash', '=', idHash)
        .where('expires_at', '>', new Date(now))
        .executeTakeFirst();
      return row && storedOf(row);
    },

    async findAndKeep(kind, idHash, now, keepUntil) {
      const row = await db
        .updateTable('artefacts')
        .set(({ fn, ref, val }) => ({ expires_at: fn('greatest', [ref('expires_at'), val(new Date(keepUntil))]) }))
        .where('kind', '=', kind)
        .where('id_hash', '=', idHash)
        .where('expires_at', '>', new Date(now))
        .returning(['payload', 'consumed_at'])
        .executeTakeFirst();
      return row && storedOf(row);
    },

    async findSession(sessionUid, now) {
      const row = await db
        .selectFrom('artefacts')
        .select(['id_hash', 'payload', 'consumed_at'])
        .where('kind', '=', 'Session')
        .where('session_uid', '=', sessionUid)
        .where('expires_at', '>', new Date(now))
        .executeTakeFirst();
      return row && { idHash: row.id_hash, ...storedOf(row) };
    },

    async consume(kind, idHash, now, keepUntil) {
      const used = await db
        .updateTable('artefacts')
        .set({ consumed_at: new Date(now), ...(keepUntil !== undefined && { expires_at: new Date(keepUntil) }) })
        .where('kind', '=', kind)
        .where('id_hash', '=', idHash)
        .where('consumed_at', 'is', null)
        .returning('kind')
        .executeTakeFirst();
      return used !== undefined;
    },

    async remove(kind, idHash) {
      await db.deleteFrom('artefacts').where('kind', '=', kind).where('id_hash', '=', idHash).execute();
    },

    async removeOfGrant(kind, grantId) {
      await db.deleteFrom('artefacts').where('kind', '=', kind).where('grant_id', '=', grantId).execute();
    },

    async noteSession(grantId, sessionUid) {
      await db
        .updateTable('artefacts')
        .set({ session_uid: sessionUid })
        .where('kind', '=', 'Grant')
        .where('id_hash', '=', artefactHash(grantId))
        .execute();
    },

    async grantsOf(sessionUid, now) {
      const rows = await db
        .selectFrom('artefacts')
        .select('grant_id')
        .where('kind', '=', 'Grant')
        .where('session_uid', '=', sessionUid)
        .where('expires_at', '>', new Date(now))
        .execute();
      return rows.flatMap(({ grant_id }) => grant_id ?? []);
    },

    sweep: (now) => sweepExpired(db, 'artefacts', now),
  };
}

/** What belongs to a client or person that is removed goes with them, in the same transaction. */
export async function removeArtefacts(
  trx: Kysely<AuthTables>,
  column: 'client_id' | 'account_id',
  value: string,
): Promise<void> {
  await trx.deleteFrom('artefacts').where(column, '=', value).execute();
  await trx.deleteFrom('refresh_tokens').where(column, '=', value).execute();
}

const storedOf = (row: Pick<Selectable<AuthTables['artefacts']>, 'payload' | 'consumed_at'>): StoredArtefact => ({
  payload: row.payload,
  consumedAt: row.consumed_at?.getTime(),
});

const rowOf = (artefact: Artefact): Insertable<AuthTables['artefacts']> => ({
  kind: artefact.kind,
  id_hash: artefact.idHash,
  payload: artefact.payload,
  grant_id: artefact.grantId ?? null,
  session_uid: artefact.sessionUid ?? null,
  client_id: artefact.clientId ?? null,
  account_id: artefact.accountId ?? null,
  expires_at: new Date(artefact.expiresAt),
});
