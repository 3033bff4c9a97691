import type { Database } from '@portcullis/sql/database';
import { repeatable } from '@portcullis/sql/transaction.sql';
import { sql, type Kysely } from 'kysely';
import { artefactHash } from './artefacts.js';
import { judge, REPLAY_WINDOW_MS } from './refresh-rotation.js';
import { openSuccessor, sealSuccessor } from './refresh-seal.js';
import type { RefreshGrant, RefreshTokens } from './refresh-tokens.js';
import { sweepExpired } from './sweep.sql.js';
import { AUTH, type AuthTables } from './tables.js';

type Db = Kysely<AuthTables>;

/** Successors in one window that a straggler is led along. No client refreshes that often; a loop would. */
const LONGEST_CHAIN = 32;
/** A little longer than the window, so that no seal goes while somebody who was in time is on the way to it. */
const SEALED_MS = REPLAY_WINDOW_MS + 2_000;

export function sqlRefreshTokens(database: Database): RefreshTokens {
  const of = (tenant: string): Db => database.ofTenant<AuthTables>(tenant, AUTH);
  const every = database.everyTenant<AuthTables>(AUTH);
  return {
    add: (tenant, token, grant) =>
      repeatable(of(tenant), async (trx) => {
        if (!(await lockFamily(trx, grant.grantId))) return false;
        await insert(trx, tenant, token, grant);
        return true;
      }),

    async find(tenant, token, now) {
      const row = await read(of(tenant), tenant, token);
      return row !== undefined && row.expiresAt > now ? row : undefined;
    },

    async rotate(tenant, token, by, successor, now) {
      return repeatable(of(tenant), async (trx) => {
        const known = await read(trx, tenant, token);
        if (known === undefined || !(await lockFamily(trx, known.grantId))) return { outcome: 'gone' };
        // again, now that nobody else can change it
        const kept = await read(trx, tenant, token);
        if (kept === undefined || kept.expiresAt <= now) return { outcome: 'gone' };
        const verdict = judge(kept, by);
        switch (verdict.do) {
          case 'refuse':
            return { outcome: 'refused', why: verdict.why };
          case 'end':
            return { outcome: 'ended', why: verdict.why };
          case 'repeat': {
            const newest = await newestOf(trx, tenant, token);
            return newest === undefined ? { outcome: 'gone' } : { outcome: 'repeated', token: newest };
          }
          case 'rotate': {
            await trx
              .updateTable('refresh_tokens')
              .set({ used_at: sql<Date>`clock_timestamp()`, successor: await sealSuccessor(token, successor.token) })
              .where('tenant', '=', tenant)
              .where('token_hash', '=', artefactHash(token))
              .execute();
            await insert(trx, tenant, successor.token, { ...kept, payload: successor.payload });
            return { outcome: 'rotated', token: successor.token };
          }
        }
      });
    },

    async remove(tenant, token) {
      await of(tenant)
        .deleteFrom('refresh_tokens')
        .where('tenant', '=', tenant)
        .where('token_hash', '=', artefactHash(token))
        .execute();
    },

    async removeOfGrant(tenant, grantId) {
      await of(tenant)
        .deleteFrom('refresh_tokens')
        .where('tenant', '=', tenant)
        .where('grant_id', '=', grantId)
        .execute();
    },

    async dropSeals() {
      await every
        .updateTable('refresh_tokens')
        .set({ successor: null })
        .where('successor', 'is not', null)
        .where('used_at', '<', sql<Date>`clock_timestamp() - make_interval(secs => ${SEALED_MS / 1000})`)
        .execute();
    },

    sweep: (now) => sweepExpired(every, 'refresh_tokens', now),
  };
}

/**
 * The grant's row is the lock of its family: whoever uses a token holds it, and whoever revokes the grant takes it away
 * before anything else, so that no successor is born after the end.
 * @returns false when the grant has ended
 */
async function lockFamily(trx: Db, grantId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('artefacts')
    .select('kind')
    .where('kind', '=', 'Grant')
    .where('id_hash', '=', artefactHash(grantId))
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** Along the chain of used tokens to the one that was not used yet. The family is locked. */
async function newestOf(trx: Db, tenant: string, token: string): Promise<string | undefined> {
  let newest = token;
  for (let links = 0; links < LONGEST_CHAIN; links += 1) {
    const row = await trx
      .selectFrom('refresh_tokens')
      .select(['used_at', 'successor'])
      .where('tenant', '=', tenant)
      .where('token_hash', '=', artefactHash(newest))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.used_at === null) return newest;
    if (row.successor === null) return undefined;
    newest = await openSuccessor(newest, row.successor);
  }
  return undefined;
}

async function read(db: Db, tenant: string, token: string) {
  const row = await db
    .selectFrom('refresh_tokens')
    .select(['grant_id', 'client_id', 'account_id', 'jkt', 'payload', 'expires_at'])
    .select(sql<number | null>`(extract(epoch from clock_timestamp() - used_at) * 1000)::float8`.as('used_ms_ago'))
    .where('tenant', '=', tenant)
    .where('token_hash', '=', artefactHash(token))
    .executeTakeFirst();
  return (
    row && {
      grantId: row.grant_id,
      clientId: row.client_id,
      accountId: row.account_id,
      jkt: row.jkt ?? undefined,
      payload: row.payload,
      expiresAt: row.expires_at.getTime(),
      usedMsAgo: row.used_ms_ago ?? undefined,
    }
  );
}

async function insert(trx: Db, tenant: string, token: string, grant: RefreshGrant): Promise<void> {
  await trx
    .insertInto('refresh_tokens')
    .values({
      tenant,
      token_hash: artefactHash(token),
      grant_id: grant.grantId,
      client_id: grant.clientId,
      account_id: grant.accountId,
      jkt: grant.jkt ?? null,
      payload: grant.payload,
      expires_at: new Date(grant.expiresAt),
      used_at: null,
      successor: null,
    })
    .execute();
}
