import { isPrincipalId } from '@portcullis/contract/ids';
import type { Database } from '@portcullis/sql/database';
import { sql, type Kysely } from 'kysely';
import { ALL_TENANTS, type AuditQuestions, type EventFilter, type Page, type Paged } from './audit-store.js';
import { agentOf, AUDIT, transitionOf, type AuditTables } from './audit-tables.js';

type Db = Kysely<AuditTables>;
const MAX_NAMED = 20;

export function sqlAuditQuestions(database: Database): AuditQuestions {
  const of = (tenants: string): Db =>
    tenants === ALL_TENANTS ? database.everyTenant(AUDIT) : database.ofTenant(tenants, AUDIT);
  return {
    async agents(tenants, { clientId }, page) {
      let query = inTenants(of(tenants).selectFrom('agents').selectAll(), tenants).orderBy('tenant').orderBy('agent');
      if (clientId !== undefined) query = query.where('client_id', '=', clientId);
      const { after } = page;
      if (after) query = query.where((eb) => eb(eb.refTuple('tenant', 'agent'), '>', eb.tuple(...after)));
      const rows = await query.limit(page.limit + 1).execute();
      return pageOf(rows, page, ({ tenant, agent }) => [tenant, agent], agentOf);
    },

    async named(tenants, idOrClientId) {
      const column = isPrincipalId(idOrClientId) ? 'agent' : 'client_id';
      const query = inTenants(of(tenants).selectFrom('agents').selectAll(), tenants).where(column, '=', idOrClientId);
      const rows = await query.orderBy('tenant').orderBy('agent').limit(MAX_NAMED).execute();
      return rows.map(agentOf);
    },

    async transitions(tenant, agent, limit) {
      const query = of(tenant)
        .selectFrom('transitions')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('agent', '=', agent);
      return (await query.orderBy('position', 'desc').limit(limit).execute()).map(transitionOf);
    },

    async events(tenants, filter, page) {
      let query = asked(inTenants(eventQuery(of(tenants)), tenants), filter);
      const { after } = page;
      if (after) {
        const last = sql`(${after[0]}::timestamptz, ${after[1]}::uuid)`;
        query = query.where((eb) => eb(eb.refTuple('time', 'id'), '<', last as never));
      }
      const rows = await query
        .orderBy('time', 'desc')
        .orderBy('id', 'desc')
        .limit(page.limit + 1)
        .execute();
      return pageOf(
        rows,
        page,
        (row) => [row.time.toISOString(), row.id],
        ({ line }): unknown => JSON.parse(line),
      );
    },
  };
}

/** Narrows a query to a tenant; the one place that does. */
function inTenants<Q extends { where(column: 'tenant', op: '=', value: string): Q }>(query: Q, tenants: string): Q {
  return tenants === ALL_TENANTS ? query : query.where('tenant', '=', tenants);
}

type EventQuery = ReturnType<typeof eventQuery>;
const eventQuery = (db: Db) => db.selectFrom('events').select(['time', 'id', 'line']);

function asked(query: EventQuery, filter: EventFilter): EventQuery {
  const { agent, type, tool, outcome, correlationId, since, until } = filter;
  if (agent !== undefined) query = query.where(isPrincipalId(agent) ? 'subject' : 'client_id', '=', agent);
  if (type !== undefined) query = query.where('type', '=', type);
  if (tool !== undefined) query = query.where('tool', '=', tool);
  if (outcome !== undefined) query = query.where('outcome', '=', outcome);
  if (correlationId !== undefined) query = query.where('correlation_id', '=', correlationId);
  if (since !== undefined) query = query.where('time', '>=', sql<Date>`${since}::timestamptz`);
  if (until !== undefined) query = query.where('time', '<', sql<Date>`${until}::timestamptz`);
  return query;
}

/** @param rows one more than the page holds, when there is a next page */
function pageOf<R, T>(
  rows: readonly R[],
  { limit }: Page,
  sortWords: (row: R) => readonly [string, string],
  itemOf: (row: R) => T,
): Paged<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(itemOf), next: rows.length > limit && last ? sortWords(last) : undefined };
}
