import type {
  AbortableOperationOptions,
  CompiledQuery,
  DatabaseConnection,
  QueryResult,
  TransactionSettings,
} from 'kysely';
import pg from 'pg';
import { inTheWay, isInTheWay, isLost, lost } from './lost-connection.js';
import { queryForTenant, tellTenant } from './tenant-query.sql.js';

/** For whom a connection is lent, and how long each of its statements may take. */
export interface Lending {
  /** a slug, or EVERY_TENANT; undefined = for nobody */
  readonly tenant?: string | undefined;
  /** how long the server has for an answer, ms; undefined = as long as it takes */
  readonly answerMs: number | undefined;
}

/** What a client of pg's pool has besides what its type says. */
export type PooledClient = pg.PoolClient & Pick<pg.Client, 'end'> & { readonly processID?: number };

/**
 * A connection of the pool while somebody has it. Lets nothing new begin before a statement that is being cancelled, and
 * its cancelling, are over; and ends itself when a statement gets no answer in time, since the server may be frozen with
 * the connection open, and would be waited for by everyone to whom the connection is lent.
 */
export class LentConnection implements DatabaseConnection {
  /** who was given the connection says for whom */
  lending: Lending;
  #inTransaction = false;
  #ending: Promise<void> | undefined;
  #isFit = true;

  /** @param cancel ends the statement of the server's process with that number, from a connection of its own */
  constructor(
    readonly client: PooledClient,
    lending: Lending,
    private readonly cancel: (processId: number) => Promise<void>,
  ) {
    this.lending = lending;
  }

  /** False when the pool has to make a new one instead. */
  get isFit(): boolean {
    return this.#isFit;
  }

  /** Begins a transaction for whom the connection is lent; each of its statements is for them from here on. */
  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const { tenant, answerMs } = this.lending;
    const how = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(
      (part) => part !== undefined,
    );
    const begin = how.length === 0 ? 'begin' : `start transaction ${how.join(', ')}`;
    const told = tenant === undefined ? [] : [tellTenant(tenant)];
    const unlimited = answerMs === undefined ? ['set local statement_timeout to 0', 'set local lock_timeout to 0'] : [];
    this.#inTransaction = true;
    await this.#orDiscard([begin, ...told, ...unlimited].join('; '));
  }

  async rollback(): Promise<void> {
    if (this.#ending !== undefined) await this.#ending;
    // the server rolls back what a connection that ends leaves behind
    if (this.#isFit) await this.#orDiscard('rollback');
  }

  /** A connection of which nobody knows what transaction it is in is of no more use. */
  async #orDiscard(text: string): Promise<void> {
    try {
      await this.#run(text, []);
    } catch (error) {
      this.#isFit = false;
      throw error;
    }
  }

  /** Resolves when nothing is being cancelled any more. */
  get settled(): Promise<void> | undefined {
    return this.#ending;
  }

  async executeQuery<R>(query: CompiledQuery, options?: AbortableOperationOptions): Promise<QueryResult<R>> {
    if (this.#ending !== undefined) await this.#ending;
    const signal = options?.signal;
    if (signal === undefined) return this.#run<R>(query.sql, query.parameters);
    signal.throwIfAborted();
    const work = this.#run<R>(query.sql, query.parameters);
    const end = (): void => {
      const { processID } = this.client;
      const cancelled = processID === undefined ? undefined : this.cancel(processID);
      this.#ending = Promise.allSettled([work, cancelled]).then(() => (this.#ending = undefined));
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      return await work;
    } catch (error) {
      // whoever waited was told when the signal came; Kysely would only print this
      if (signal.aborted) return { rows: [] };
      throw error;
    } finally {
      signal.removeEventListener('abort', end);
      if (this.#ending !== undefined) await this.#ending;
    }
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('no statement is streamed: ask for a page of rows');
  }

  /** @throws Refusal overloaded when the connection was lost under the statement, or another transaction was in the way */
  async #run<R>(text: string, values: readonly unknown[]): Promise<QueryResult<R>> {
    if (!this.#isFit) throw lost();
    const { answerMs, tenant } = this.lending;
    let isLate = false;
    const giveUp = (): void => {
      isLate = true;
      this.#isFit = false;
      // pg has a statement under way, so that it does not say goodbye first, for which it would wait
      void this.client.end();
    };
    const alarm = answerMs === undefined ? undefined : setTimeout(giveUp, answerMs);
    try {
      const isTold = tenant === undefined || this.#inTransaction;
      const result = isTold
        ? await this.client.query<object>(text, [...values])
        : await queryForTenant(this.client, tenant, text, values);
      return resultOf<R>(result as pg.QueryResult);
    } catch (error) {
      if (isLate) throw lost(error, `the database did not answer in ${answerMs} ms`);
      if (isLost(error)) {
        this.#isFit = false;
        throw lost(error);
      }
      throw isInTheWay(error) ? inTheWay(error) : error;
    } finally {
      clearTimeout(alarm);
    }
  }
}

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);
const ENDS = new Set(['COMMIT', 'ROLLBACK']);

/** As Kysely's own driver gives it: how many rows were changed, and how a transaction ended. */
function resultOf<R>({ command, rowCount, rows }: pg.QueryResult): QueryResult<R> {
  if (ENDS.has(command)) return { rows: [{ command }] as R[] };
  return CHANGES.has(command)
    ? { numAffectedRows: BigInt(rowCount ?? 0), rows }
    : { rows: (rows as R[] | undefined) ?? [] };
}
