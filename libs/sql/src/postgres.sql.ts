import { Kysely, sql } from 'kysely';
import pg from 'pg';
import { checkedSchema, type Database, type Ending } from './database.js';
import { EndingDialect } from './ending.sql.js';
import { postgresUrl } from './postgres-url.js';

export interface PostgresOptions {
  /** hears of a connection that broke while nobody used it; who used one hears it from their query */
  readonly onBroken: (error: Error) => void;
  /** what pg_stat_activity shows */
  readonly application?: string;
  /** connections at most, of this process */
  readonly poolSize?: number;
  /** how long a query waits for a connection, and a new connection for the server, ms */
  readonly connectMs?: number;
  /** how long one statement may run, and a transaction may idle, ms */
  readonly statementMs?: number;
}

/** bigint (int8) and its arrays, https://www.postgresql.org/docs/17/catalog-pg-type.html */
const INT8 = 20;
const INT8_ARRAY = 1016;
const DATE = 1082;

/**
 * Opens a pool of connections to a Postgres server; the role, its password, TLS (sslmode) and the database are the URL's.
 * Connects once, so that what is wrong with the URL is known before anything starts. A connection that breaks is
 * replaced; its query rejects. When none can be had later on, queries reject with Refusal `overloaded`.
 * @throws DatabaseUrlError when the URL cannot be read, or pg's error when the server refuses; neither shows the password
 */
export async function openPostgres(url: string, options: PostgresOptions): Promise<Database> {
  const { onBroken, application = 'portcullis', poolSize = 10, connectMs = 5000, statementMs = 15_000 } = options;
  const pool = new pg.Pool({
    connectionString: postgresUrl(url),
    application_name: application,
    max: poolSize,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  });
  pool.on('error', (error) => onBroken(error));
  // while a connection is lent, the pool does not listen, and an error that nobody hears ends the process
  pool.on('connect', (client) => client.on('error', () => undefined));
  const dialect = new EndingDialect({ pool });
  const db = new Kysely<unknown>({ dialect });
  const ping = async (): Promise<void> => {
    await sql`select 1`.execute(db);
  };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= db.destroy());
  try {
    await ping();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    schema: <Tables>(name: string, until?: Ending) =>
      until === undefined
        ? (db as Kysely<Tables>).withSchema(checkedSchema(name))
        : dialect.ending<Tables>(db, checkedSchema(name), until),
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
