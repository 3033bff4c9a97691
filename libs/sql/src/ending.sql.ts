import { Refusal } from '@portcullis/contract/refusals';
import {
  Kysely,
  PostgresDialect,
  PostgresDriver,
  WithSchemaPlugin,
  type AbortableOperationOptions,
  type AbortableQueryOptions,
  type CompiledQuery,
  type ConnectionProvider,
  type DatabaseConnection,
  type Driver,
  type KyselyPlugin,
  type PostgresDialectConfig,
  type QueryExecutor,
  type QueryResult,
} from 'kysely';
import type { Ending } from './database.js';

/**
 * Postgres whose statements end with a signal: `pg_cancel_backend` from a connection of its own, since the one that runs
 * the statement hears nothing until it is done. Kysely can do so too, but not inside a transaction: there its ROLLBACK
 * takes the statement's place before the cancel is sent, which is then left out.
 */
export class EndingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;
  #driver: Driver | undefined;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return (this.#driver = new EndingDriver(this.#config));
  }

  /** The tables of a schema through `db`, which stands on this dialect; every statement ends with the signal. */
  ending<Tables>(db: Kysely<unknown>, schema: string, until: Ending): Kysely<Tables> {
    if (this.#driver === undefined) throw new Error('no Kysely stands on this dialect yet');
    const executor = db.getExecutor().withPluginAtFront(new WithSchemaPlugin(schema));
    const config = { dialect: this };
    return new Kysely<Tables>({
      ...config,
      config,
      driver: this.#driver,
      executor: new EndingExecutor(executor, until),
    });
  }
}

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

/** What callers are told to wait when no connection can be had. */
const RETRY_AFTER_MS = 1000;

class EndingDriver extends PostgresDriver {
  readonly #wrapped = new WeakMap<DatabaseConnection, EndingConnection>();
  #reached = false;

  /** @throws Refusal overloaded when the server, or a connection to it, cannot be had now, though it could be once */
  override async acquireConnection(options?: AbortableOperationOptions): Promise<DatabaseConnection> {
    const inner = await super.acquireConnection(options).catch((cause: unknown) => {
      // a start that fails has to say why
      if (!this.#reached) throw cause;
      throw new Refusal(
        'overloaded',
        { retryAfterMs: RETRY_AFTER_MS },
        { detail: 'no connection to the database', cause },
      );
    });
    this.#reached = true;
    let wrapped = this.#wrapped.get(inner);
    if (wrapped === undefined) this.#wrapped.set(inner, (wrapped = new EndingConnection(inner)));
    return wrapped;
  }

  override async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const { ending, inner } = connection as EndingConnection;
    if (ending !== undefined) await ending;
    // the pool's own class has what the driver looks for
    await super.releaseConnection(inner as never);
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const { ending, inner } = connection as EndingConnection;
    if (ending !== undefined) await ending;
    await super.rollbackTransaction(inner as never).catch(expectKept);
  }
}

/** Lets nothing new begin on a connection before a statement that is being cancelled, and its cancelling, are over. */
class EndingConnection implements DatabaseConnection {
  ending: Promise<void> | undefined;

  constructor(readonly inner: DatabaseConnection) {}

  async executeQuery<R>(query: CompiledQuery, options?: AbortableOperationOptions): Promise<QueryResult<R>> {
    if (this.ending !== undefined) await this.ending;
    const signal = options?.signal;
    if (signal === undefined) return this.inner.executeQuery<R>(query).catch(expectKept);
    signal.throwIfAborted();
    await this.inner.collectSessionInfo?.();
    const work = this.inner.executeQuery<R>(query);
    const end = (): void => {
      const cancel = this.inner.cancelQuery?.(noOther);
      this.ending = Promise.allSettled([work, cancel]).then(() => (this.ending = undefined));
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      return await work;
    } catch (error) {
      // whoever waited was told when the signal came; Kysely would only print this
      if (signal.aborted) return { rows: [] };
      return expectKept(error);
    } finally {
      signal.removeEventListener('abort', end);
      if (this.ending !== undefined) await this.ending;
    }
  }

  streamQuery<R>(query: CompiledQuery, chunk: number, options?: AbortableOperationOptions) {
    return this.inner.streamQuery<R>(query, chunk, options);
  }
}

/** SQLSTATE of a server that ends, and of a connection that it ends (class 57, operator intervention; class 08). */
const LOST = /^(?:08...|57P0[1-5])$/;
/** of the socket, by Node.js; and what pg says of one that ended without a word, which has no code at all */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
const UNSAID = 'Connection terminated unexpectedly';

/** @throws Refusal overloaded when the connection was lost under the statement; else what was thrown */
function expectKept(thrown: unknown): never {
  const { code, message } = (thrown ?? {}) as { code?: unknown; message?: unknown };
  const isLost = typeof code === 'string' ? LOST.test(code) || BROKEN.has(code) : message === UNSAID;
  if (!isLost) throw thrown;
  throw new Refusal(
    'overloaded',
    {
      retryAfterMs: RETRY_AFTER_MS,
      hint: 'The connection to the database was lost: whether a change took effect is not known.',
    },
    { detail: 'the connection to the database was lost', cause: thrown },
  );
}

/** A pool that is full must not keep a statement from being cancelled, so none of its connections is asked for. */
const noOther = (): Promise<never> => Promise.reject(new Error('cancelling has a connection of its own'));
