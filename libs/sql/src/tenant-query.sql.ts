import pg from 'pg';

/** What row-level security compares the tenant of a row with; no tenant is called so. */
export const EVERY_TENANT = '*';

/** What a query of pg does to its connection while it is sent, and what it is told afterwards; pg's types leave it out. */
interface Wire {
  close(message: { readonly type: 'S'; readonly name: string }): void;
  parse(message: { readonly text: string; readonly name: string }): void;
  bind(message: { readonly statement: string; readonly values: readonly string[] }): void;
  execute(message: { readonly rows: number }): void;
}
interface PgQuery {
  prepare(wire: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, wire: Wire): void;
}
interface QueryConfig {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly queryMode: 'extended';
  readonly callback: (error: Error | undefined, result: pg.QueryResult) => void;
}
const PgQuery = pg.Query as unknown as new (config: QueryConfig) => PgQuery;

const NAME = 'portcullis_tenant';
const TELL = `select set_config('portcullis.tenant', $1, true)`;

/** Connections that know TELL by its name: to read it anew every time would cost as much as a lookup. */
const prepared = new WeakSet<Wire>();

/**
 * A statement that the database runs for a tenant. Who that is goes ahead of it in the same message, and until the Sync
 * that ends the message all is one transaction: it costs no round trip, and is over with the statement.
 * @see https://www.postgresql.org/docs/17/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
class TenantQuery extends PgQuery {
  #told = false;

  constructor(
    private readonly tenant: string,
    config: QueryConfig,
  ) {
    super(config);
  }

  override prepare(wire: Wire): void {
    if (!prepared.has(wire)) {
      // one that was read and then cancelled is there already; to close one that is not is no error
      wire.close({ type: 'S', name: NAME });
      wire.parse({ text: TELL, name: NAME });
    }
    wire.bind({ statement: NAME, values: [this.tenant] });
    wire.execute({ rows: 0 });
    super.prepare(wire);
  }

  override handleDataRow(message: unknown): void {
    if (this.#told) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.#told) return super.handleCommandComplete(message, wire);
    this.#told = true;
    prepared.add(wire);
  }
}

/** Runs one statement for a tenant, or for EVERY_TENANT, on a connection that is in no transaction. */
export const queryForTenant = (
  client: pg.ClientBase,
  tenant: string,
  text: string,
  values: readonly unknown[],
): Promise<pg.QueryResult> =>
  new Promise((resolve, reject) => {
    const callback: QueryConfig['callback'] = (error, result) => (error ? reject(error) : resolve(result));
    client.query(
      new TenantQuery(tenant, { text, values, queryMode: 'extended', callback }) as unknown as pg.Submittable,
    );
  });

/** What a transaction begins with. No query yet, so that its isolation can still be chosen. @param tenant a slug, or EVERY_TENANT */
export const tellTenant = (tenant: string): string => `set local portcullis.tenant to '${tenant}'`;
