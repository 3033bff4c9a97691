import { Refusal } from '@portcullis/contract/refusals';
import { sql, type Kysely, type Selectable } from 'kysely';
import type { Customer, TenantData } from './data.js';
import type { CustomerTable, ToolTables } from './tables.sql.js';
import { pageOf } from './page.js';

/** The customers of one tenant. Values travel as parameters only. `now` gives ms since epoch. */
export function customersOf(db: Kysely<ToolTables>, tenant: string, now: () => number): TenantData['customers'] {
  const own = () => db.selectFrom('customers').selectAll().where('tenant', '=', tenant);
  return {
    byId: async (id) => customer(present(await own().where('customer_id', '=', id).executeTakeFirst())),

    async recent(limit) {
      const rows = await own().orderBy('created_at', 'desc').orderBy('customer_id').limit(limit).execute();
      return rows.map(customer);
    },

    async page(after, limit) {
      const rows = await own()
        .$if(after !== undefined, (query) => query.where('customer_id', '>', after ?? ''))
        .orderBy('customer_id')
        .limit(limit + 1)
        .execute();
      return pageOf(rows.map(customer), limit, (row) => row.customer_id);
    },

    async update(id, changes) {
      const row = await db
        .updateTable('customers')
        .set(changes)
        .$if(changes.email !== undefined, (query) =>
          query.set({
            // of the row as it was: to be told the same address again changes nothing
            email_changed_at: sql`case when email = ${changes.email} then email_changed_at else ${new Date(now())} end`,
          }),
        )
        .where('tenant', '=', tenant)
        .where('customer_id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return customer(present(row));
    },

    async remove(id) {
      const row = await db
        .deleteFrom('customers')
        .where('tenant', '=', tenant)
        .where('customer_id', '=', id)
        .returning('customer_id')
        .executeTakeFirst();
      present(row);
    },

    async spentCents(id) {
      const row = await db
        .selectFrom('customers')
        .leftJoin('purchases', (join) =>
          join
            .onRef('purchases.tenant', '=', 'customers.tenant')
            .onRef('purchases.customer_id', '=', 'customers.customer_id'),
        )
        .where('customers.tenant', '=', tenant)
        .where('customers.customer_id', '=', id)
        .groupBy('customers.customer_id')
        .select([
          sql<string>`coalesce(sum(purchases.amount_cents), 0)`.as('cents'),
          sql<string>`count(purchases.purchase_id)`.as('purchases'),
        ])
        .executeTakeFirst();
      const { cents, purchases } = present(row);
      return { cents: Number(cents), purchases: Number(purchases) };
    },
  };
}

/** Unknown and another tenant's: the same words for both. */
export function present<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Refusal('row_forbidden');
  return row;
}

const customer = ({
  tenant: _tenant,
  email_changed_at: _changed,
  balance_cents,
  created_at,
  ...row
}: Selectable<CustomerTable>): Customer => ({
  ...row,
  status: row.status as Customer['status'],
  balance: Number(balance_cents) / 100,
  created_at: created_at.toISOString(),
});
