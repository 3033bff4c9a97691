import { isTenant } from '@portcullis/contract/ids';
import type { Kysely } from 'kysely';

/**
 * One SQL database as services see it: each has one schema of its own and reads no other. Variants: PGlite (embedded),
 * Postgres (with the backbone). On Postgres, row-level security keeps what a query asks for to the rows of the tenant for
 * which it was asked, whatever its WHERE says; PGlite relies on the WHERE alone.
 * @see docs/decisions/0022-the-database-knows-the-tenant.md
 */
export interface Database {
  /**
   * Queries for one tenant against the tables of one service's schema; `Tables` maps table names to row types.
   * @param until their statements end with its signal, and what waits for them rejects with the signal's reason; not on
   *   PGlite, which runs one statement at a time in this process and cannot be told to stop
   * @throws RangeError when the tenant is no slug
   */
  ofTenant<Tables>(tenant: string, schema: string, until?: Ending): Kysely<Tables>;
  /**
   * Queries for nobody: tables without a tenant. Of the others they see, and may write, no row.
   * @param until as of `ofTenant`
   */
  schema<Tables>(schema: string, until?: Ending): Kysely<Tables>;
  /**
   * Queries over the rows of all tenants: rows that are found before a tenant is known, sweeps, and whoever acts for all.
   * Each use is a decision to be read; nothing that a tenant asked for comes by here.
   */
  everyTenant<Tables>(schema: string): Kysely<Tables>;
  /** For migrations: as `everyTenant`, and transactions may take, and wait for locks, as long as they need. */
  unhurried<Tables>(schema: string): Kysely<Tables>;
  /** Resolves when the database answers a query, soon. */
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

/** A tenant is a slug, so that what stands for all of them is none, and needs no quoting. */
export function checkedTenant(tenant: string): string {
  if (!isTenant(tenant)) throw new RangeError('a tenant is a slug: 1 to 32 of a-z, 0-9 and -');
  return tenant;
}
