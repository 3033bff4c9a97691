import type { Kysely } from 'kysely';

/**
 * One SQL database as services see it: each has one schema of its own and reads no other. Variants: PGlite (embedded),
 * Postgres (with the backbone).
 */
export interface Database {
  /**
   * Queries against the tables of one service's schema; `Tables` maps table names to row types.
   * @param until their statements end with its signal, and what waits for them rejects with the signal's reason; not on
   *   PGlite, which runs one statement at a time in this process and cannot be told to stop
   */
  schema<Tables>(name: string, until?: Ending): Kysely<Tables>;
  /** Resolves when the database answers a query. */
  ping(): Promise<void>;
  /** Waits for the query or transaction that runs, then closes. Later queries reject. */
  close(): Promise<void>;
}

/** What ends statements: the context of a call, whose signal is made only when it is asked for. */
export interface Ending {
  readonly signal: AbortSignal;
}

/** Names of schemas are ours, never a caller's, and plain enough to need no quoting. */
const SCHEMA = /^[a-z][a-z_]{0,30}$/;
export function checkedSchema(name: string): string {
  if (!SCHEMA.test(name)) throw new Error(`"${name}" is no name for a schema: use a-z and _, at most 31 characters`);
  return name;
}
