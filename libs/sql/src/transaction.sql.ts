import type { Kysely, Transaction } from 'kysely';
import { wasTakenBack } from './lost-connection.js';

const TRIES = 3;

/**
 * A transaction that is done anew when Postgres took it back for another's sake, three times in all. Only for work that
 * touches nothing but the database, since what it does elsewhere would happen twice: who confirms a change by an event
 * has to fail instead, and let the caller ask again.
 * @throws what `work` throws, or Refusal overloaded after the last try
 * @see https://www.postgresql.org/docs/17/mvcc-serialization-failure-handling.html
 */
export async function repeatable<Tables, Result>(
  db: Kysely<Tables>,
  work: (trx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (tried === TRIES || !wasTakenBack(error)) throw error;
    }
  }
}
