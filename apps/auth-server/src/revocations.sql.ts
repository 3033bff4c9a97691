import { principalId } from '@portcullis/contract/ids';
import type { Revocable } from '@portcullis/contract/revocation';
import type { Database } from '@portcullis/sql/database';
import { sql, type Kysely, type Selectable } from 'kysely';
import { revocationTimes, STILL_KNOWN_MS, type RevocationRecord, type Revocations } from './revocations.js';
import { AUTH, type AuthTables } from './tables.js';

export function sqlRevocations(database: Database): Revocations {
  const of = (tenant: string) => database.ofTenant<AuthTables>(tenant, AUTH);
  const every = database.everyTenant<AuthTables>(AUTH);
  return {
    revoke: (tenant, revocation, confirm) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          await write(trx, { ...revocation, tenant });
          await confirm();
        }),

    async find(tenant, what, id) {
      const row = await of(tenant)
        .selectFrom('revocations')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('what', '=', what)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && recordOf(row);
    },

    async since(horizon, now) {
      // Asked before the rows: of every transaction that has not ended by now, the next question sees what it wrote.
      const { rows: found } = await sql<{ next: string }>`
        select pg_snapshot_xmin(pg_current_snapshot())::text as next`.execute(every);
      const rows = await every
        .selectFrom('revocations')
        .selectAll()
        .where('until', '>', new Date(now))
        .$if(horizon !== undefined, (query) => query.where('written_by', '>=', sql<string>`cast(${horizon} as xid8)`))
        .execute();
      return { rows: rows.map(recordOf), horizon: found[0]?.next ?? '0' };
    },

    async expired(now, limit) {
      const rows = await every
        .selectFrom('revocations')
        .selectAll()
        .where('until', '<=', new Date(now))
        .orderBy('until')
        .limit(limit)
        .execute();
      return rows.map(recordOf);
    },

    async forget(rows, now) {
      if (rows.length === 0) return;
      await every
        .deleteFrom('revocations')
        .where(({ eb, refTuple, tuple }) =>
          eb(
            refTuple('tenant', 'what', 'id'),
            'in',
            rows.map(({ tenant, what, id }) => tuple(tenant, what, id)),
          ),
        )
        .where('until', '<=', new Date(now))
        .execute();
    },
  };
}

/** Writes the row, takes away what could still give tokens, and revokes each grant among that. */
async function write(trx: Kysely<AuthTables>, row: RevocationRecord): Promise<void> {
  await writeRows(trx, [row]);
  const grants = await endArtefacts(trx, row.tenant, row.what, row.id);
  for (let from = 0; from < grants.length; from += AT_ONCE) {
    const some = grants.slice(from, from + AT_ONCE);
    await writeRows(
      trx,
      some.map((id) => ({ ...row, what: 'grant', id })),
    );
  }
}

/** Postgres takes 65,535 parameters in one statement. */
const AT_ONCE = 1000;

/** @param rows no two of the same */
async function writeRows(trx: Kysely<AuthTables>, rows: readonly RevocationRecord[]): Promise<void> {
  const written_by = sql<string>`pg_current_xact_id()`;
  await trx
    .insertInto('revocations')
    .values(rows.map((row) => ({ ...row, at: new Date(row.at), until: new Date(row.until), written_by })))
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'what', 'id']).doUpdateSet({
        at: sql<Date>`greatest(revocations.at, excluded.at)`,
        until: sql<Date>`greatest(revocations.until, excluded.until)`,
        reason: sql<string>`excluded.reason`,
        by: sql<string>`excluded.by`,
        written_by,
      }),
    )
    .execute();
}

/**
 * When a client or a person is disabled or removed, everything that they were given goes, too.
 * @param now ms since epoch
 */
export async function revokeWith(
  trx: Kysely<AuthTables>,
  { tenant, what, id, reason }: Pick<RevocationRecord, 'tenant' | 'what' | 'id' | 'reason'>,
  now: number,
): Promise<void> {
  const times = revocationTimes(now + STILL_KNOWN_MS);
  await write(trx, { tenant, what, id, reason, by: 'an administrator', ...times });
}

/**
 * When scopes are taken from a client or a person, the access tokens that carry them go. Grants and sessions stay: what
 * comes of them from now on is without those scopes.
 * @param now ms since epoch
 */
export async function revokeTokensWith(
  trx: Kysely<AuthTables>,
  { tenant, what, id, reason }: Pick<RevocationRecord, 'tenant' | 'what' | 'id' | 'reason'>,
  now: number,
): Promise<void> {
  const times = revocationTimes(now + STILL_KNOWN_MS);
  await writeRows(trx, [{ tenant, what, id, reason, by: 'an administrator', ...times }]);
}

/** What gives its holder tokens. A used assertion's id is not among them: without it the assertion would be good again. */
const GIVING = ['Grant', 'AuthorizationCode', 'RefreshToken', 'AccessToken', 'DeviceCode'];

/**
 * Takes away what could still give tokens of what was revoked, as far as it is the tenant's.
 * @returns the grants that went with something greater
 */
async function endArtefacts(trx: Kysely<AuthTables>, tenant: string, what: Revocable, id: string): Promise<string[]> {
  switch (what) {
    case 'token':
      return [];
    case 'grant':
      await end(trx, tenant, { grant_id: id });
      return [];
    case 'client':
      return end(trx, tenant, { client_id: id });
    case 'user':
      await endSessions(trx, tenant, id);
      return end(trx, tenant, { account_id: id });
    case 'principal': {
      const ended: string[] = [];
      for (const pair of await pairsOf(trx, tenant, id)) ended.push(...(await end(trx, tenant, pair)));
      return ended;
    }
  }
}

type Owner = Partial<Record<'grant_id' | 'client_id' | 'account_id', string>>;
async function end(trx: Kysely<AuthTables>, tenant: string, owner: Owner): Promise<string[]> {
  const columns = Object.entries(owner) as [keyof Owner, string][];
  const clients = trx.selectFrom('clients').select('client_id').where('tenant', '=', tenant);
  let giving = trx.deleteFrom('artefacts').where('kind', 'in', GIVING).where('client_id', 'in', clients);
  let refreshing = trx.deleteFrom('refresh_tokens').where('tenant', '=', tenant);
  for (const [column, value] of columns) {
    giving = giving.where(column, '=', value);
    refreshing = refreshing.where(column, '=', value);
  }
  // The grant's row goes first: it is the lock of its refresh tokens.
  const gone = await giving.returning('grant_id').execute();
  await refreshing.execute();
  return [...new Set(gone.flatMap(({ grant_id }) => grant_id ?? []))];
}

async function endSessions(trx: Kysely<AuthTables>, tenant: string, userId: string): Promise<void> {
  const users = trx.selectFrom('users').select('user_id').where('tenant', '=', tenant);
  await trx
    .deleteFrom('artefacts')
    .where('kind', '=', 'Session')
    .where('account_id', '=', userId)
    .where('account_id', 'in', users)
    .execute();
}

/** Client and person behind a principal: its id is a hash of the two, so all that have a grant are tried. */
export async function pairsOf(trx: Kysely<AuthTables>, tenant: string, principal: string) {
  const pairs = await trx
    .selectFrom('artefacts')
    .innerJoin('clients', 'clients.client_id', 'artefacts.client_id')
    .select(['artefacts.client_id', 'artefacts.account_id'])
    .distinct()
    .where('clients.tenant', '=', tenant)
    .where('artefacts.kind', 'in', GIVING)
    .where('artefacts.account_id', 'is not', null)
    .execute();
  return pairs
    .map(({ client_id, account_id }) => ({ client_id: client_id ?? '', account_id: account_id ?? '' }))
    .filter(({ client_id, account_id }) => principalId(tenant, client_id, account_id) === principal);
}

const recordOf = (row: Selectable<AuthTables['revocations']>): RevocationRecord => ({
  tenant: row.tenant,
  what: row.what,
  id: row.id,
  at: row.at.getTime(),
  until: row.until.getTime(),
  reason: row.reason,
  by: row.by,
});
