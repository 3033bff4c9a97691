import { Refusal } from '@portcullis/contract/refusals';
import { repeatable } from '@portcullis/sql/transaction.sql';
import type { Kysely, Transaction } from 'kysely';
import type { ToolTables } from './tables.sql.js';

/**
 * Deletes all of `ids` or, when one of them is not there, none. What is of none of these customers is not there.
 * @param remove deletes what it can and says how many rows that were
 * @throws Refusal row_forbidden when one is missing; which one is not said
 */
export function removeAll(
  db: Kysely<ToolTables>,
  ids: readonly string[],
  of: readonly string[],
  remove: (trx: Transaction<ToolTables>, ids: readonly string[]) => Promise<number>,
): Promise<void> {
  const wanted = [...new Set(ids)];
  if (of.length === 0) return Promise.reject(new Refusal('row_forbidden'));
  return repeatable(db, async (trx) => {
    // a refusal inside the transaction takes back what was deleted
    if ((await remove(trx, wanted)) !== wanted.length) throw new Refusal('row_forbidden');
  });
}
