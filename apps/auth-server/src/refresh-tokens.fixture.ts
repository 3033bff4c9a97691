import type { Database } from '@portcullis/sql/database';
import { sql } from 'kysely';
import { shelve } from './artefacts.js';
import { sqlArtefacts } from './artefacts.sql.js';
import type { OpenRefreshTokens } from './refresh-tokens.contract.js';
import { sqlRefreshTokens } from './refresh-tokens.sql.js';

/** The store in SQL, for its contract. The database is migrated. */
export function refreshTokensIn(database: Database, replica: Database = database): OpenRefreshTokens {
  const db = database.everyTenant<object>('auth');
  const artefacts = sqlArtefacts(database);
  const farOff = Date.UTC(2100, 0, 1);
  return {
    tokens: sqlRefreshTokens(database),
    replica: sqlRefreshTokens(replica),
    addGrant: (grantId) => artefacts.put(shelve('Grant', grantId, {}, farOff)),
    endGrant: (grantId) => artefacts.remove('Grant', shelve('Grant', grantId, {}, farOff).idHash),
    age: (tenant, token, ms) => ageRefreshToken(database, token, ms, tenant),
    async stored(grantId) {
      const { rows } = await sql<{ successor: string | null }>`
        select * from auth.refresh_tokens where grant_id = ${grantId}`.execute(db);
      return rows;
    },
  };
}

/** Makes a token's use so many ms older than it is. */
export async function ageRefreshToken(
  database: Database,
  token: string,
  ms: number,
  tenant = 'default',
): Promise<void> {
  const { idHash } = shelve('RefreshToken', token, {}, 0);
  const done = await sql`
    update auth.refresh_tokens set used_at = used_at - make_interval(secs => ${ms / 1000}::float8)
    where tenant = ${tenant} and token_hash = ${idHash} and used_at is not null returning 1`.execute(
    database.everyTenant<object>('auth'),
  );
  if (done.rows.length !== 1) throw new Error('no such token, or it was not used');
}
