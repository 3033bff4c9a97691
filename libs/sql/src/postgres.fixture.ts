import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Database } from './database.js';
import { openPostgres, type PostgresOptions } from './postgres.sql.js';

/** A real Postgres server for `*.container.spec.ts`. All files of a run share one; each takes databases of its own in it. */
export interface TestPostgres {
  /** Makes an empty database. @returns its URL, for a role of its own that owns it and is no superuser, as services have */
  freshUrl(): Promise<string>;
  /** The same database for the server's superuser, whom row-level security leaves alone. */
  superuser(url: string): string;
  /** Opens an empty database of its own; close it in afterAll. */
  open(options?: Partial<PostgresOptions>): Promise<Database>;
}

/**
 * The server that jest.containers.config.mjs started for this run.
 * @throws Error in a spec that another configuration runs: it must be called `*.container.spec.ts`
 */
export function testPostgres(): TestPostgres {
  const server = process.env.PORTCULLIS_TEST_POSTGRES;
  if (server === undefined) {
    throw new Error('No Postgres was started: name the spec x.container.spec.ts, and run jest.containers.config.mjs');
  }
  return postgresAt(server);
}

/** @param server the URL of its superuser */
export function postgresAt(server: string): TestPostgres {
  const freshUrl = async (): Promise<string> => {
    const name = `test_${randomBytes(8).toString('hex')}`;
    const role = { name, password: randomBytes(16).toString('hex') };
    await runSql(server, `create role ${name} login password '${role.password}'`);
    await runSql(server, `create database ${name} owner ${name}`);
    return withPath(server, name, role);
  };
  return {
    freshUrl,
    superuser: (url) => withPath(server, new URL(url).pathname.slice(1)),
    open: async (options) => openPostgres(await freshUrl(), { onBroken: () => undefined, ...options }),
  };
}

/** Runs SQL text on a connection of its own; several statements in one text are one transaction. @returns the rows of the last */
export async function runSql(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const results: pg.QueryResult | pg.QueryResult[] = await client.query(text);
    return (Array.isArray(results) ? results.at(-1) : results)?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** The same server for another role, or another database. */
export function withPath(url: string, database: string, role?: { readonly name: string; readonly password: string }) {
  const other = new URL(url);
  other.pathname = `/${database}`;
  if (role) Object.assign(other, { username: role.name, password: role.password });
  return other.href;
}
