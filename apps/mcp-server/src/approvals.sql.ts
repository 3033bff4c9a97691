import { randomBytes } from 'node:crypto';
import {
  APPROVAL_MS,
  approvalId,
  decisionOutcome,
  KEPT_MS,
  OPEN_AT_MOST,
  spendOutcome,
  type ApprovalId,
  type ApprovalRecord,
  type Approvals,
  type ConfirmApproval,
  type Decision,
} from '@portcullis/guard/approvals';
import type { Database } from '@portcullis/sql/database';
import { sql, type ColumnType, type Selectable, type UpdateQueryBuilder, type UpdateResult } from 'kysely';
import { SCHEMA } from './data/tenant-data.sql.js';

interface ApprovalTable {
  tenant: string;
  approval_id: string;
  principal: string;
  client_id: string;
  sub: string | null;
  task: string | null;
  tool: string;
  arguments_hash: string;
  arguments: string;
  needed: number;
  decisions: ColumnType<Decision[], never, never>;
  asked_at: Date;
  expires_at: Date;
  spent_at: Date | null;
}

interface Tables {
  approvals: ApprovalTable;
}

/** Approvals in schema `tools`, for any number of replicas. @param now ms since epoch */
export function sqlApprovals(database: Database, now: () => number): Approvals {
  const of = (tenant: string) => database.ofTenant<Tables>(tenant, SCHEMA);
  const every = database.everyTenant<Tables>(SCHEMA);
  const one = (tenant: string, id: ApprovalId) =>
    of(tenant).selectFrom('approvals').selectAll().where('tenant', '=', tenant).where('approval_id', '=', id);
  const find = async (tenant: string, id: ApprovalId): Promise<ApprovalRecord | undefined> => {
    const row = await one(tenant, id).executeTakeFirst();
    return row && recordOf(row);
  };

  /** Confirms what an update changed; when it is not confirmed, nothing is changed. @returns was there anything to change? */
  const changed = (
    tenant: string,
    update: UpdateQueryBuilder<Tables, 'approvals', 'approvals', UpdateResult>,
    confirm: ConfirmApproval,
  ): Promise<boolean> =>
    of(tenant)
      .transaction()
      .execute(async (trx) => {
        const { rows } = await trx.executeQuery<Selectable<ApprovalTable>>(update.returningAll().compile());
        for (const row of rows) await confirm(recordOf(row));
        return rows.length > 0;
      });

  return {
    ask: (tenant, call, confirm) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          const at = now();
          // one at a time for each principal, or two would both see room for one
          await sql`select pg_advisory_xact_lock(hashtextextended(${`approvals/${tenant}/${call.principal}`}, 0))`.execute(
            trx,
          );
          const rows = await trx
            .selectFrom('approvals')
            .selectAll()
            .where('tenant', '=', tenant)
            .where('principal', '=', call.principal)
            .where('spent_at', 'is', null)
            .where('expires_at', '>', new Date(at))
            .execute();
          const open = rows.map(recordOf);
          const same = open.find(
            ({ task, tool, argumentsHash }) =>
              task === call.task && tool === call.tool && argumentsHash === call.argumentsHash,
          );
          if (same !== undefined) return { record: same, fresh: false };
          if (open.length >= OPEN_AT_MOST) {
            return { crowdedForMs: Math.min(...open.map(({ expiresAt }) => expiresAt)) - at };
          }
          const row = await trx
            .insertInto('approvals')
            .values({
              tenant,
              approval_id: approvalId(randomBytes(16)),
              principal: call.principal,
              client_id: call.clientId,
              sub: call.sub ?? null,
              task: call.task ?? null,
              tool: call.tool,
              arguments_hash: call.argumentsHash,
              arguments: call.arguments,
              needed: call.needed,
              asked_at: new Date(at),
              expires_at: new Date(at + APPROVAL_MS),
            })
            .returningAll()
            .executeTakeFirstOrThrow();
          const record = recordOf(row);
          await confirm(record);
          return { record, fresh: true };
        }),

    async tenantOf(id) {
      // a link names a record and no tenant
      const row = await every.selectFrom('approvals').select('tenant').where('approval_id', '=', id).executeTakeFirst();
      return row?.tenant;
    },

    find,

    async decide(tenant, id, who, yes, confirm) {
      const at = now();
      const said = JSON.stringify([{ by: who, at, yes }] satisfies Decision[]);
      // the row is looked at and changed in one statement: of two at once, the second sees what the first did
      const update = of(tenant)
        .updateTable('approvals')
        .set({ decisions: sql`decisions || ${said}::text::jsonb` as never })
        .where('tenant', '=', tenant)
        .where('approval_id', '=', id)
        .where('expires_at', '>', new Date(at))
        .where('spent_at', 'is', null)
        .where((is) => is.or([is('sub', 'is', null), is('sub', '!=', who)]))
        .where(sql<boolean>`jsonb_array_length(decisions) < needed`)
        .where(sql<boolean>`not decisions @> '[{"yes": false}]'`)
        .where(sql<boolean>`not decisions @> ${JSON.stringify([{ by: who }])}::text::jsonb`);
      if (await changed(tenant, update, confirm)) return 'counted';
      const why = decisionOutcome(await find(tenant, id), who, at);
      return why === 'counted' ? 'closed' : why;
    },

    async spend(tenant, id, call, confirm) {
      const at = now();
      const update = of(tenant)
        .updateTable('approvals')
        .set({ spent_at: new Date(at) })
        .where('tenant', '=', tenant)
        .where('approval_id', '=', id)
        .where('principal', '=', call.principal)
        .where('task', 'is not distinct from', call.task ?? null)
        .where('tool', '=', call.tool)
        .where('arguments_hash', '=', call.argumentsHash)
        .where('expires_at', '>', new Date(at))
        .where('spent_at', 'is', null)
        .where(sql<boolean>`jsonb_array_length(decisions) >= needed`)
        .where(sql<boolean>`not decisions @> '[{"yes": false}]'`);
      if (await changed(tenant, update, confirm)) return 'spent';
      const why = spendOutcome(await find(tenant, id), call, at);
      return why === 'spent' ? 'waiting' : why;
    },

    async sweep() {
      const { numDeletedRows } = await every
        .deleteFrom('approvals')
        .where('expires_at', '<=', new Date(now() - KEPT_MS))
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
  };
}

const recordOf = (row: Selectable<ApprovalTable>): ApprovalRecord => ({
  id: row.approval_id as ApprovalId,
  principal: row.principal,
  clientId: row.client_id,
  sub: row.sub ?? undefined,
  task: row.task ?? undefined,
  tool: row.tool,
  argumentsHash: row.arguments_hash,
  arguments: row.arguments,
  needed: row.needed === 1 ? 1 : 2,
  decisions: row.decisions,
  askedAt: row.asked_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  spentAt: row.spent_at?.getTime(),
});
