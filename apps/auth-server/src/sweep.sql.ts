import { sql, type Kysely } from 'kysely';
import { AUTH, type AuthTables } from './tables.js';

/** So many rows go in one statement: however much has piled up, no statement takes long, and no request waits for it. */
const AT_ONCE = 1000;

/**
 * Deletes what has expired, a part at a time. Several replicas may sweep at once: each leaves alone what another has in
 * hand.
 * @param now ms since epoch; what expires at this very ms goes, too
 * @returns how many rows are gone
 */
export async function sweepExpired(
  db: Kysely<AuthTables>,
  table: 'artefacts' | 'refresh_tokens',
  now: number,
): Promise<number> {
  const name = sql.id(AUTH, table);
  for (let gone = 0; ;) {
    const { numAffectedRows = 0n } = await sql`
      delete from ${name} where ctid = any(array(
        select ctid from ${name} where expires_at <= ${new Date(now)}
        order by expires_at limit ${sql.lit(AT_ONCE)} for update skip locked))`.execute(db);
    gone += Number(numAffectedRows);
    if (numAffectedRows < AT_ONCE) return gone;
  }
}
