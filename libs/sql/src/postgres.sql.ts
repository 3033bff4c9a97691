import { Kysely, sql } from 'kysely';
import pg from 'pg';
import { checkedSchema, checkedTenant, type Database, type Ending } from './database.js';
import { LendingDialect } from './lending-dialect.sql.js';
import type { Lending } from './lent-connection.sql.js';
import { postgresUrl } from './postgres-url.js';
import { EVERY_TENANT } from './tenant-query.sql.js';

export interface PostgresOptions {
  /** hears of a connection that broke while nobody used it; who used one hears it from their query */
  readonly onBroken: (error: Error) => void;
  /** hears that row-level security does not hold for the role of the URL; what it throws ends the opening */
  readonly onAboveRowSecurity?: () => void;
  /** what pg_stat_activity shows */
  readonly application?: string;
  /** connections at most, of this process */
  readonly poolSize?: number;
  /** how long a query waits for a connection, and a new connection for the server, ms */
  readonly connectMs?: number;
  /** how long one statement may run, and a transaction may idle, ms */
  readonly statementMs?: number;
  /** how long one statement may wait for a row that another transaction changes, ms */
  readonly lockMs?: number;
}

/** A server that is frozen, or cut off, stops no statement: the connection is given up so long after it should have, ms. */
const GRACE_MS = 1000;
/** How long a statement waits for another's change, unless told otherwise, ms: somebody waits for it, too. */
const LOCK_MS = 5000;
/** Who asks whether the server answers wants to know soon, ms. */
const PING_MS = 2000;

/** bigint (int8) and its arrays, https://www.postgresql.org/docs/17/catalog-pg-type.html */
const INT8 = 20;
const INT8_ARRAY = 1016;
const DATE = 1082;

/**
 * Opens a pool of connections to a Postgres server; the role, its password, TLS (sslmode) and the database are the URL's.
 * Connects once, so that what is wrong with the URL is known before anything starts. A connection that breaks, or gives no
 * answer in time, is replaced; its query rejects with Refusal `overloaded`, and so do queries for which none can be had.
 * @throws DatabaseUrlError when the URL cannot be read, or pg's error when the server refuses; neither shows the password
 */
export async function openPostgres(url: string, options: PostgresOptions): Promise<Database> {
  const { onBroken, application = 'portcullis', statementMs = 15_000 } = options;
  const pool = new pg.Pool({
    connectionString: postgresUrl(url),
    application_name: application,
    max: options.poolSize ?? 10,
    connectionTimeoutMillis: options.connectMs ?? 5000,
    statement_timeout: statementMs,
    lock_timeout: Math.min(options.lockMs ?? LOCK_MS, statementMs),
    idle_in_transaction_session_timeout: statementMs,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  });
  pool.on('error', (error) => onBroken(error));
  const clients = new Set<pg.PoolClient>();
  pool.on('connect', (client) => {
    clients.add(client);
    // while a connection is lent, the pool does not listen, and an error that nobody hears ends the process
    client.on('error', () => undefined);
    client.on('end', () => clients.delete(client));
  });
  const answerMs = statementMs + GRACE_MS;
  const dialect = new LendingDialect(pool, { answerMs });
  const db = new Kysely<unknown>({ dialect });
  const pinging = dialect.tables<unknown>(db, 'public', { answerMs: PING_MS });
  const ping = async (): Promise<void> => {
    await sql`select 1`.execute(pinging);
  };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closed ??= db.destroy().then(() => {
      // nobody waits for a frozen server to hear the goodbye
      for (const client of clients) (client as unknown as { unref(): void }).unref();
    }));
  try {
    const { rows } = await sql<{ above: boolean }>`
      select rolsuper or rolbypassrls as above from pg_roles where rolname = current_user`.execute(pinging);
    if (rows[0]?.above !== false) options.onAboveRowSecurity?.();
  } catch (error) {
    await close();
    throw error;
  }
  const tables =
    (lending: Lending) =>
    <Tables>(schema: string, until?: Ending): Kysely<Tables> =>
      dialect.tables<Tables>(db, checkedSchema(schema), lending, until);
  return {
    ofTenant: (tenant, schema, until) => tables({ answerMs, tenant: checkedTenant(tenant) })(schema, until),
    schema: tables({ answerMs }),
    everyTenant: tables({ answerMs, tenant: EVERY_TENANT }),
    unhurried: tables({ answerMs: undefined, tenant: EVERY_TENANT }),
    ping,
    close,
  };
}

/** What the embedded database gives for the same types, so that code sees one kind of row. */
function parserOf(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === INT8) return numberOf;
  if (oid === DATE) return (text) => new Date(`${text}T00:00:00Z`);
  if (oid === INT8_ARRAY) {
    const texts = pg.types.getTypeParser(INT8_ARRAY as number, 'text') as (text: string) => (string | null)[];
    return (text) => texts(text).map((each) => (each === null ? null : numberOf(each)));
  }
  return pg.types.getTypeParser(oid, format as 'text') as (text: string) => unknown;
}

/** count(*) and sums are bigint; beyond 2^53 a number would lie. */
function numberOf(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}
