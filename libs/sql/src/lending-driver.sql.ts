import { Refusal } from '@portcullis/contract/refusals';
import { PostgresDriver, type DatabaseConnection, type Driver, type TransactionSettings } from 'kysely';
import pg from 'pg';
import { LentConnection, type Lending, type PooledClient } from './lent-connection.sql.js';
import { RETRY_AFTER_MS } from './lost-connection.js';

/** Kysely on pg's pool: what it lends knows for whom, and does not come back when its server no longer answers. */
export class LendingDriver extends PostgresDriver implements Driver {
  #reached = false;

  /** @param lending what a connection is lent for unless who gets it says otherwise */
  constructor(
    private readonly pool: pg.Pool,
    private readonly lending: Lending,
  ) {
    super({ pool });
  }

  /** @throws Refusal overloaded when the server, or a connection to it, cannot be had now, though it could be once */
  override async acquireConnection(): Promise<LentConnection> {
    const client = await this.pool.connect().catch((cause: unknown) => {
      // a start that fails has to say why
      if (!this.#reached) throw cause;
      throw new Refusal(
        'overloaded',
        { retryAfterMs: RETRY_AFTER_MS },
        { detail: 'no connection to the database', cause },
      );
    });
    this.#reached = true;
    return new LentConnection(client as PooledClient, this.lending, this.#cancel);
  }

  override async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const lent = connection as LentConnection;
    if (lent.settled !== undefined) await lent.settled;
    lent.client.release(!lent.isFit);
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await (connection as LentConnection).begin(settings);
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as LentConnection).rollback();
  }

  /** The server is asked from a connection of its own: a pool that is full must not keep a statement from being cancelled. */
  readonly #cancel = async (processId: number): Promise<void> => {
    const { password } = this.pool.options;
    // the password is not enumerable
    const client = new pg.Client({
      ...this.pool.options,
      password,
      query_timeout: this.pool.options.connectionTimeoutMillis,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select pg_cancel_backend($1)', [processId]);
    } finally {
      void client.end();
    }
  };
}
