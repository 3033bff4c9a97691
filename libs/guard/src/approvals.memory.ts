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
} from './approvals.js';

/**
 * The records (approvals.ts) in the memory of this process: a restart forgets them, and the calls have to be asked for again.
 * @param now ms since epoch
 */
export function memoryApprovals(now: () => number): Approvals {
  const tenants = new Map<string, Map<ApprovalId, ApprovalRecord>>();
  const recordsOf = (tenant: string): Map<ApprovalId, ApprovalRecord> => {
    const records = tenants.get(tenant) ?? new Map<ApprovalId, ApprovalRecord>();
    tenants.set(tenant, records);
    return records;
  };

  let last: Promise<unknown> = Promise.resolve();
  /** One after the other, since a change may take until it is confirmed. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const turn = last.then(change, change);
    last = turn.catch(() => undefined);
    return turn;
  };

  return {
    ask: (tenant, call, confirm) =>
      inTurn(async () => {
        const at = now();
        const records = recordsOf(tenant);
        const open = [...records.values()].filter(
          ({ principal, spentAt, expiresAt }) =>
            principal === call.principal && spentAt === undefined && at < expiresAt,
        );
        const same = open.find(
          ({ task, tool, argumentsHash }) =>
            task === call.task && tool === call.tool && argumentsHash === call.argumentsHash,
        );
        if (same !== undefined) return { record: same, fresh: false };
        if (open.length >= OPEN_AT_MOST) {
          return { crowdedForMs: Math.min(...open.map(({ expiresAt }) => expiresAt)) - at };
        }
        const id = approvalId(randomBytes(16));
        const record = { ...call, id, askedAt: at, expiresAt: at + APPROVAL_MS, decisions: [], spentAt: undefined };
        await confirm(record);
        records.set(id, record);
        return { record, fresh: true };
      }),

    tenantOf: async (id) => [...tenants].find(([, records]) => records.has(id))?.[0],

    find: async (tenant, id) => tenants.get(tenant)?.get(id),

    decide: (tenant, id, who, yes, confirm) =>
      inTurn(async () => {
        const at = now();
        const record = tenants.get(tenant)?.get(id);
        const outcome = decisionOutcome(record, who, at);
        if (record !== undefined && outcome === 'counted') {
          const decided = { ...record, decisions: [...record.decisions, { by: who, at, yes }] };
          await confirm(decided);
          recordsOf(tenant).set(id, decided);
        }
        return outcome;
      }),

    spend: (tenant, id, call, confirm) =>
      inTurn(async () => {
        const at = now();
        const record = tenants.get(tenant)?.get(id);
        const outcome = spendOutcome(record, call, at);
        if (record !== undefined && outcome === 'spent') {
          const spent = { ...record, spentAt: at };
          await confirm(spent);
          recordsOf(tenant).set(id, spent);
        }
        return outcome;
      }),

    sweep: () =>
      inTurn(async () => {
        const at = now();
        let gone = 0;
        for (const [tenant, records] of tenants) {
          for (const [id, { expiresAt }] of records) if (expiresAt + KEPT_MS <= at && records.delete(id)) gone += 1;
          if (records.size === 0) tenants.delete(tenant);
        }
        return gone;
      }),
  };
}
