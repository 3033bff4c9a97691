import { sql, type Transaction } from 'kysely';
import { FIRST_NUMBER } from './record-id.js';
import type { ToolTables } from './tables.sql.js';

/** The next number of a kind of record, counted by tenant; two transactions never get the same one. */
export async function nextNumber(
  trx: Transaction<ToolTables>,
  tenant: string,
  kind: 'ticket' | 'attachment' | 'mail',
): Promise<number> {
  const { last } = await trx
    .insertInto('numbers')
    .values({ tenant, kind, last: FIRST_NUMBER })
    .onConflict((conflict) => conflict.columns(['tenant', 'kind']).doUpdateSet({ last: sql`numbers.last + 1` }))
    .returning('last')
    .executeTakeFirstOrThrow();
  return Number(last);
}
