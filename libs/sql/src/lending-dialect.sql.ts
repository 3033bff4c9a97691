import {
  Kysely,
  PostgresDialect,
  WithSchemaPlugin,
  type AbortableOperationOptions,
  type AbortableQueryOptions,
  type CompiledQuery,
  type ConnectionProvider,
  type Driver,
  type KyselyPlugin,
  type QueryExecutor,
  type QueryResult,
} from 'kysely';
import type pg from 'pg';
import type { Ending } from './database.js';
import { LendingDriver } from './lending-driver.sql.js';
import type { Lending, LentConnection } from './lent-connection.sql.js';

/**
 * Postgres on pg's pool. Statements end with a signal: `pg_cancel_backend` from a connection of its own, since the one
 * that runs the statement hears nothing until it is done. Kysely can do so too, but not inside a transaction: there its
 * ROLLBACK takes the statement's place before the cancel is sent, which is then left out.
 */
export class LendingDialect extends PostgresDialect {
  readonly #driver: LendingDriver;

  constructor(pool: pg.Pool, lending: Lending) {
    super({ pool });
    this.#driver = new LendingDriver(pool, lending);
  }

  override createDriver(): Driver {
    return this.#driver;
  }

  /** The tables of a schema through `db`, which stands on this dialect. @param until every statement ends with its signal */
  tables<Tables>(db: Kysely<unknown>, schema: string, lending: Lending, until?: Ending): Kysely<Tables> {
    const all = db.getExecutor();
    const lent = all.withConnectionProvider(lentFor(all, lending)).withPluginAtFront(new WithSchemaPlugin(schema));
    const executor = until === undefined ? lent : new EndingExecutor(lent, until);
    const config = { dialect: this };
    return new Kysely<Tables>({ ...config, config, driver: this.#driver, executor });
  }
}

/** What comes from `inner` comes for somebody. */
const lentFor = (inner: ConnectionProvider, lending: Lending): ConnectionProvider => ({
  provideConnection: (consumer, options) =>
    inner.provideConnection((connection) => {
      (connection as LentConnection).lending = lending;
      return consumer(connection);
    }, options),
});

/** Gives every statement the signal. */
class EndingExecutor implements QueryExecutor {
  constructor(
    private readonly inner: QueryExecutor,
    private readonly until: Ending,
  ) {}

  get adapter() {
    return this.inner.adapter;
  }
  get plugins() {
    return this.inner.plugins;
  }
  transformQuery: QueryExecutor['transformQuery'] = (node, id) => this.inner.transformQuery(node, id);
  compileQuery: QueryExecutor['compileQuery'] = (node, id) => this.inner.compileQuery(node, id);
  provideConnection: QueryExecutor['provideConnection'] = (consumer, options) =>
    this.inner.provideConnection(consumer, options);

  executeQuery<R>(query: CompiledQuery<R>, options?: AbortableQueryOptions): Promise<QueryResult<R>> {
    return this.inner.executeQuery(query, { signal: this.until.signal, ...options });
  }
  stream<R>(query: CompiledQuery<R>, chunk: number, options?: AbortableOperationOptions) {
    return this.inner.stream(query, chunk, { signal: this.until.signal, ...options });
  }

  withConnectionProvider = (provider: ConnectionProvider) => this.#with(this.inner.withConnectionProvider(provider));
  withPlugin = (plugin: KyselyPlugin) => this.#with(this.inner.withPlugin(plugin));
  withPlugins = (plugins: readonly KyselyPlugin[]) => this.#with(this.inner.withPlugins(plugins));
  withPluginAtFront = (plugin: KyselyPlugin) => this.#with(this.inner.withPluginAtFront(plugin));
  withoutPlugins = () => this.#with(this.inner.withoutPlugins());

  #with(inner: QueryExecutor): QueryExecutor {
    return new EndingExecutor(inner, this.until);
  }
}
