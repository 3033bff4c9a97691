import { sql, type Kysely, type Selectable } from 'kysely';
import { present } from './customers.sql.js';
import type { TenantData, Ticket } from './data.js';
import { pageOf } from './page.js';
import { FIRST_TICKET, ticketIdOf } from './ticket-number.js';
import type { TicketTable, ToolTables } from './tables.sql.js';

/** The tickets of one tenant. `now` gives ms since epoch. */
export function ticketsOf(db: Kysely<ToolTables>, tenant: string, now: () => number): TenantData['tickets'] {
  const own = () => db.selectFrom('tickets').selectAll().where('tenant', '=', tenant);
  return {
    byId: async (id) => ticket(present(await own().where('ticket_id', '=', id).executeTakeFirst())),

    create: (fresh) =>
      db.transaction().execute(async (trx) => {
        // Locked until the ticket is there, so that the customer cannot be deleted in between.
        const customer = await trx
          .selectFrom('customers')
          .select('customer_id')
          .where('tenant', '=', tenant)
          .where('customer_id', '=', fresh.customer_id)
          .forKeyShare()
          .executeTakeFirst();
        const { customer_id } = present(customer);
        const { last } = await trx
          .insertInto('ticket_numbers')
          .values({ tenant, last: FIRST_TICKET })
          .onConflict((conflict) => conflict.column('tenant').doUpdateSet({ last: sql`ticket_numbers.last + 1` }))
          .returning('last')
          .executeTakeFirstOrThrow();
        const { subject, description, priority } = fresh;
        const row = await trx
          .insertInto('tickets')
          .values({
            tenant,
            ticket_id: ticketIdOf(Number(last)),
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
  };
}

const ticket = ({ tenant: _, created_at, ...row }: Selectable<TicketTable>): Ticket => ({
  ...row,
  priority: row.priority as Ticket['priority'],
  status: row.status as Ticket['status'],
  created_at: created_at.toISOString(),
});
