import { Refusal } from '@portcullis/contract/refusals';
import { repeatable } from '@portcullis/sql/transaction.sql';
import type { Kysely } from 'kysely';
import type { TenantData } from './data.js';
import { nextNumber } from './numbers.sql.js';
import { recordId } from './record-id.js';
import type { ToolTables } from './tables.sql.js';

/** The outgoing mail of one tenant. `now` gives ms since epoch. */
export function mailOf(db: Kysely<ToolTables>, tenant: string, now: () => number): TenantData['mail'] {
  return {
    queue: ({ customer_ids, subject, body }, approvalAskedAt) =>
      repeatable(db, async (trx) => {
        const wanted = [...new Set(customer_ids)];
        // Locked in one order, so that two mailings cannot wait for each other.
        const recipients = await trx
          .selectFrom('customers')
          .select(['customer_id', 'email', 'email_changed_at'])
          .where('tenant', '=', tenant)
          .where('customer_id', 'in', wanted)
          .orderBy('customer_id')
          .forKeyShare()
          .execute();
        if (recipients.length !== wanted.length) throw new Refusal('row_forbidden');
        const changed = recipients.filter(({ email_changed_at: at }) => at !== null && at.getTime() >= approvalAskedAt);
        if (changed.length > 0) throw readdressed(changed.length);
        const mail_id = recordId('M', await nextNumber(trx, tenant, 'mail'));
        const created_at = new Date(now());
        await trx
          .insertInto('outgoing_mail')
          .values(
            recipients.map(({ customer_id, email }) => ({
              tenant,
              mail_id,
              customer_id,
              address: email,
              subject,
              body,
              created_at,
            })),
          )
          .execute();
        return { mail_id, queued: recipients.length };
      }),
  };
}

/** People approve mail to customers as these are; whoever changes where it goes has to ask them again. */
const readdressed = (changed: number): Refusal => {
  const hint =
    'The address of a customer was changed after approval of this mail was asked for, so nothing was sent. Repeat the call without it to ask again.';
  return new Refusal('approval_needed', { hint }, { detail: `${changed} addresses changed since it was asked for` });
};
