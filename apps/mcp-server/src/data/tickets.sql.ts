import { repeatable } from '@portcullis/sql/transaction.sql';
import type { Kysely, Selectable } from 'kysely';
import { present } from './customers.sql.js';
import type { TenantData, Ticket } from './data.js';
import { nextNumber } from './numbers.sql.js';
import { pageOf } from './page.js';
import { recordId } from './record-id.js';
import { removeAll } from './remove-all.sql.js';
import type { TicketTable, ToolTables } from './tables.sql.js';
import { whose } from './whose.js';

/** The tickets of one tenant. `now` gives ms since epoch. */
export function ticketsOf(db: Kysely<ToolTables>, tenant: string, now: () => number): TenantData['tickets'] {
  const own = () => db.selectFrom('tickets').selectAll().where('tenant', '=', tenant);
  return {
    byId: async (id) => ticket(present(await own().where('ticket_id', '=', id).executeTakeFirst())),

    create: (fresh) =>
      repeatable(db, async (trx) => {
        // Locked until the ticket is there, so that the customer cannot be deleted in between.
        const customer = await trx
          .selectFrom('customers')
          .select('customer_id')
          .where('tenant', '=', tenant)
          .where('customer_id', '=', fresh.customer_id)
          .forKeyShare()
          .executeTakeFirst();
        const { customer_id } = present(customer);
        const { subject, description, priority } = fresh;
        const row = await trx
          .insertInto('tickets')
          .values({
            tenant,
            ticket_id: recordId('T', await nextNumber(trx, tenant, 'ticket')),
            customer_id,
            subject,
            description,
            priority,
            status: 'open',
            created_at: new Date(now()),
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        return ticket(row);
      }),

    async page(after, limit) {
      const rows = await own()
        .$if(after !== undefined, (query) => query.where('ticket_id', '>', after ?? ''))
        .orderBy('ticket_id')
        .limit(limit + 1)
        .execute();
      return pageOf(rows.map(ticket), limit, (row) => row.ticket_id);
    },

    async customersOf(ids) {
      const rows = await db
        .selectFrom('tickets')
        .where('tenant', '=', tenant)
        .where('ticket_id', 'in', ids)
        .select('customer_id')
        .execute();
      return whose(ids, rows);
    },

    remove: (ids, of) =>
      removeAll(db, ids, of, async (trx, wanted) => {
        const gone = await trx
          .deleteFrom('tickets')
          .where('tenant', '=', tenant)
          .where('ticket_id', 'in', wanted)
          .where('customer_id', 'in', of)
          .returning('ticket_id')
          .execute();
        return gone.length;
      }),
  };
}

const ticket = ({ tenant: _, created_at, ...row }: Selectable<TicketTable>): Ticket => ({
  ...row,
  priority: row.priority as Ticket['priority'],
  status: row.status as Ticket['status'],
  created_at: created_at.toISOString(),
});
