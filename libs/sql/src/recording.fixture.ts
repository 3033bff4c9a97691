import { CompiledQuery, PostgresQueryCompiler, type KyselyPlugin, type QueryId, type RootOperationNode } from 'kysely';
import type { Database } from './database.js';

/** The database as it was, which also keeps what it is asked from now on: each statement once, by its text. */
export interface RecordedDatabase extends Database {
  readonly statements: Map<string, CompiledQuery>;
}

export function recorded(database: Database): RecordedDatabase {
  const statements = new Map<string, CompiledQuery>();
  const compiler = new PostgresQueryCompiler();
  // parts of a statement come by as if they were whole ones; only what has a result was run
  const asked = new WeakMap<QueryId, RootOperationNode>();
  const plugin: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      asked.set(queryId, node);
      return node;
    },
    transformResult({ result, queryId }) {
      const node = asked.get(queryId);
      const query = node && compiler.compileQuery(node, queryId);
      if (query) statements.set(query.sql, query);
      return Promise.resolve(result);
    },
  };
  return {
    ...database,
    statements,
    ofTenant: <Tables>(tenant: string, name: string) => database.ofTenant<Tables>(tenant, name).withPlugin(plugin),
    schema: <Tables>(name: string) => database.schema<Tables>(name).withPlugin(plugin),
    everyTenant: <Tables>(name: string) => database.everyTenant<Tables>(name).withPlugin(plugin),
  };
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

/**
 * Asks the planner, with the parameters that were given, how each statement would be run.
 * @returns the tables that would be read from end to end, with the statement: `TABLE: SQL`
 */
export async function tableScans(database: Database, statements: Iterable<CompiledQuery>): Promise<string[]> {
  const db = database.schema<object>('public');
  const scans: string[] = [];
  for (const { sql, parameters } of statements) {
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': { Plan: Plan }[] }>(
      CompiledQuery.raw(`explain (format json) ${sql}`, [...parameters]),
    );
    const tables = (rows[0]?.['QUERY PLAN'] ?? []).flatMap((each) => tablesScanned(each.Plan));
    scans.push(...tables.map((table) => `${table}: ${sql}`));
  }
  return scans;
}

const tablesScanned = (plan: Plan): string[] => [
  ...(plan['Node Type'] === 'Seq Scan' ? [plan['Relation Name'] ?? ''] : []),
  ...(plan.Plans ?? []).flatMap(tablesScanned),
];
