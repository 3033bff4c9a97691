import type { Database } from '@portcullis/sql/database';
import { sql, type Kysely } from 'kysely';
import type { BootstrapLinks, Spent } from './bootstrap-links.js';
import { AUTH, type AuthTables } from './tables.js';
import { userRow } from './users.sql.js';

/** Ends a transaction that must leave nothing behind. */
class Undone extends Error {
  constructor(readonly why: Spent) {
    super(why);
  }
}

export function sqlBootstrapLinks(database: Database): BootstrapLinks {
  const of = (tenant: string): Kysely<AuthTables> => database.ofTenant<AuthTables>(tenant, AUTH);
  return {
    make: (tenant, token_hash, expiresAt) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          if (await hasAdministrator(trx, tenant)) return false;
          await trx.deleteFrom('bootstrap_links').where('tenant', '=', tenant).execute();
          await trx
            .insertInto('bootstrap_links')
            .values({ tenant, token_hash, expires_at: new Date(expiresAt) })
            .execute();
          return true;
        }),

    async isGood(tenant, tokenHash, now) {
      const db = of(tenant);
      const row = await db
        .selectFrom('bootstrap_links')
        .select('expires_at')
        .where('tenant', '=', tenant)
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst();
      return row !== undefined && now < row.expires_at.getTime() && !(await hasAdministrator(db, tenant));
    },

    spend: (tenant, tokenHash, now, user, confirm) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          // all of the tenant's: of two who come at once, with whatever links, the second finds none
          const links = await trx.deleteFrom('bootstrap_links').where('tenant', '=', tenant).returningAll().execute();
          const link = links.find(({ token_hash }) => token_hash === tokenHash);
          if (link === undefined || now >= link.expires_at.getTime()) throw new Undone('not_good');
          if (await hasAdministrator(trx, tenant)) throw new Undone('not_good');
          const added = await trx
            .insertInto('users')
            .values(userRow(user))
            .onConflict((conflict) => conflict.doNothing())
            .returning('user_id')
            .executeTakeFirst();
          if (added === undefined) throw new Undone('name_taken');
          await confirm();
          return 'made' as const;
        })
        .catch((error: unknown) => {
          if (error instanceof Undone) return error.why;
          throw error;
        }),

    putOnRecord: (confirm) =>
      database
        .everyTenant<AuthTables>(AUTH)
        .transaction()
        .execute(async (trx) => {
          const made = await trx
            .updateTable('bootstrap_links')
            .set({ on_record: true })
            .where('on_record', '=', false)
            .returning('tenant')
            .execute();
          for (const { tenant } of made) await confirm(tenant);
        }),
  };
}

/** One who may sign in: where every administrator is disabled, nobody could enable them again. */
async function hasAdministrator(db: Kysely<AuthTables>, tenant: string): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('user_id')
    .where('tenant', '=', tenant)
    .where('disabled', '=', false)
    .where(sql<boolean>`roles @> '["admin"]'::jsonb`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
