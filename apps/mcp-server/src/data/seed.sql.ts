import type { Database } from '@portcullis/sql/database';
import { SEED } from './seed.js';
import type { ToolTables } from './tables.sql.js';
import { SCHEMA } from './tenant-data.sql.js';

const DAY = 86_400_000;

/**
 * Gives a tenant the demo rows, once: a tenant that had them before gets nothing, whatever was deleted since.
 * @param now ms since epoch
 * @returns whether it was done now
 */
export function seedTenant(database: Database, tenant: string, now: number): Promise<boolean> {
  const ago = (days: number): Date => new Date(now - days * DAY);
  return database
    .ofTenant<ToolTables>(tenant, SCHEMA)
    .transaction()
    .execute(async (trx) => {
      const first = await trx
        .insertInto('seeded')
        .values({ tenant, seeded_at: new Date(now) })
        .onConflict((conflict) => conflict.column('tenant').doNothing())
        .returning('tenant')
        .executeTakeFirst();
      if (first === undefined) return false;
      for (const { balanceCents, daysAgo, purchasesCents, tickets, ...customer } of SEED) {
        const own = { tenant, customer_id: customer.customer_id };
        await trx
          .insertInto('customers')
          .values({ ...customer, tenant, balance_cents: balanceCents, created_at: ago(daysAgo) })
          .execute();
        for (const [i, amount_cents] of purchasesCents.entries()) {
          await trx
            .insertInto('purchases')
            .values({ ...own, amount_cents, bought_at: ago(daysAgo - i - 1) })
            .execute();
        }
        for (const { daysAgo: age, ...ticket } of tickets) {
          await trx
            .insertInto('tickets')
            .values({ ...own, ...ticket, created_at: ago(age) })
            .execute();
        }
      }
      return true;
    });
}

/**
 * Takes everything of a tenant away, also the memory of having been seeded.
 * @returns how many customers it had
 */
export function removeTenant(database: Database, tenant: string): Promise<number> {
  return database
    .ofTenant<ToolTables>(tenant, SCHEMA)
    .transaction()
    .execute(async (trx) => {
      const gone = await trx.deleteFrom('customers').where('tenant', '=', tenant).returning('customer_id').execute();
      await trx.deleteFrom('numbers').where('tenant', '=', tenant).execute();
      await trx.deleteFrom('seeded').where('tenant', '=', tenant).execute();
      return gone.length;
    });
}
