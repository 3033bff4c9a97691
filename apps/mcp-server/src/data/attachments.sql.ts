import { Refusal } from '@portcullis/contract/refusals';
import { repeatable } from '@portcullis/sql/transaction.sql';
import type { Kysely, Selectable } from 'kysely';
import { present } from './customers.sql.js';
import type { Attachment, TenantData } from './data.js';
import { nextNumber } from './numbers.sql.js';
import { recordId } from './record-id.js';
import { removeAll } from './remove-all.sql.js';
import type { AttachmentTable, ToolTables } from './tables.sql.js';
import { whose } from './whose.js';

/** A ticket takes no more than this. */
export const ATTACHMENTS_PER_TICKET = 20;

/** The attachments of one tenant. `now` gives ms since epoch. */
export function attachmentsOf(db: Kysely<ToolTables>, tenant: string, now: () => number): TenantData['attachments'] {
  return {
    add: (fresh, of) =>
      repeatable(db, async (trx) => {
        if (of.length === 0) throw new Refusal('row_forbidden');
        // Locked until the attachment is there: the ticket cannot be deleted in between, and two cannot both be the last.
        const ticket = await trx
          .selectFrom('tickets')
          .select('ticket_id')
          .where('tenant', '=', tenant)
          .where('ticket_id', '=', fresh.ticket_id)
          .where('customer_id', 'in', of)
          .forNoKeyUpdate()
          .executeTakeFirst();
        const { ticket_id } = present(ticket);
        const { n } = await trx
          .selectFrom('attachments')
          .select((eb) => eb.fn.countAll<string>().as('n'))
          .where('tenant', '=', tenant)
          .where('ticket_id', '=', ticket_id)
          .executeTakeFirstOrThrow();
        if (Number(n) >= ATTACHMENTS_PER_TICKET) {
          throw new Refusal('input_invalid', {
            issues: [`ticket_id: the ticket has ${ATTACHMENTS_PER_TICKET} attachments, and takes no more`],
          });
        }
        const { name, type, sha256, scan, content } = fresh;
        const row = {
          tenant,
          attachment_id: recordId('A', await nextNumber(trx, tenant, 'attachment')),
          ticket_id,
          name,
          type,
          size_bytes: content.length,
          sha256,
          scan,
          created_at: new Date(now()),
        };
        await trx
          .insertInto('attachments')
          .values({ ...row, content })
          .execute();
        return attachment(row);
      }),

    async customersOf(ids) {
      const rows = await db
        .selectFrom('attachments')
        .innerJoin('tickets', (join) =>
          join
            .onRef('tickets.tenant', '=', 'attachments.tenant')
            .onRef('tickets.ticket_id', '=', 'attachments.ticket_id'),
        )
        .where('attachments.tenant', '=', tenant)
        .where('attachments.attachment_id', 'in', ids)
        .select('tickets.customer_id')
        .execute();
      return whose(ids, rows);
    },

    remove: (ids, of) =>
      removeAll(db, ids, of, async (trx, wanted) => {
        const gone = await trx
          .deleteFrom('attachments')
          .where('tenant', '=', tenant)
          .where('attachment_id', 'in', wanted)
          .where('ticket_id', 'in', (qb) =>
            qb.selectFrom('tickets').select('ticket_id').where('tenant', '=', tenant).where('customer_id', 'in', of),
          )
          .returning('attachment_id')
          .execute();
        return gone.length;
      }),
  };
}

const attachment = ({ tenant: _, created_at, ...row }: Omit<Selectable<AttachmentTable>, 'content'>): Attachment => ({
  ...row,
  type: row.type as Attachment['type'],
  scan: row.scan as Attachment['scan'],
  created_at: created_at.toISOString(),
});
