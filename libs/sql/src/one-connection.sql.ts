import type { PGlite } from '@electric-sql/pglite';
import {
  PGliteAdapter,
  PGliteDialect,
  PGliteDriver,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
} from 'kysely';
import type { Turns } from './turns.js';

/**
 * Kysely on the one connection that PGlite is. Several services share it, so a query or a whole transaction has the
 * connection to itself, in the order they asked. Kysely's own queue for such databases has no limit: a query outside a
 * transaction that the transaction waits for would hang for ever, hence `turns`.
 */
export class OneConnectionDialect extends PGliteDialect {
  constructor(
    private readonly pglite: PGlite,
    private readonly turns: Turns,
  ) {
    super({ pglite });
  }

  override createAdapter(): DialectAdapter {
    return new QueueingElsewhere();
  }

  override createDriver(): Driver {
    return new OneConnectionDriver(this.pglite, this.turns);
  }
}

/** Keeps Kysely from queueing too; the driver does. */
class QueueingElsewhere extends PGliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class OneConnectionDriver extends PGliteDriver {
  constructor(
    pglite: PGlite,
    private readonly turns: Turns,
  ) {
    super({ pglite });
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.turns.take();
    return super.acquireConnection();
  }

  override async releaseConnection(): Promise<void> {
    this.turns.giveBack();
  }
}
