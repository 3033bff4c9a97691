import { randomBytes } from 'node:crypto';
import { argumentsDigest, tenantDigestKey } from '@portcullis/audit-schemas/digest';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import type { ApprovalPorts } from '@portcullis/guard/approval';
import { memoryFailureBudget } from '@portcullis/guard/failure-budget.memory';
import { approvalStates } from '@portcullis/guard/mcp/approval-state';
import type { Database } from '@portcullis/sql/database';
import type { ApprovalPagesPorts } from './approvals.controller.js';
import { sqlApprovals } from './approvals.sql.js';
import type { ApproverChecks } from './approvals/approver.js';
import { sealedCookies } from './approvals/sealed.js';
import { signInAt } from './approvals/sign-in.http.js';

const SWEEP_EVERY_MS = 5 * 60_000;

export interface ApprovalParts {
  readonly database: Database;
  readonly events: EventLog;
  readonly log: Log;
  /** 32 bytes */
  readonly auditDigestKey: Uint8Array;
  /** the present STATE_KEY and, while it is being rotated, the one before; 32 bytes each */
  readonly stateKeys: readonly Uint8Array[];
  readonly issuer: string;
  /** audience of the approvals, and where their pages are */
  readonly approvalsUrl: string;
  readonly checks: ApproverChecks;
  readonly isShutOut: ApprovalPorts['isShutOut'];
  readonly addressOf: ApprovalPagesPorts['addressOf'];
  /** ms since epoch */
  now(): number;
}

/** How calls wait for people: what the guard asks, and the pages that people answer on. */
export function openApprovals(parts: ApprovalParts): {
  readonly guard: ApprovalPorts;
  readonly pages: ApprovalPagesPorts;
  stop(): void;
} {
  const { database, events, log, auditDigestKey, stateKeys, issuer, approvalsUrl, checks, isShutOut, addressOf, now } =
    parts;
  const approvals = sqlApprovals(database, now);
  const shared = {
    approvals,
    approvalsUrl,
    append: events.append.bind(events),
    argumentsDigest: (tenant: string, args: unknown) => argumentsDigest(tenantDigestKey(auditDigestKey, tenant), args),
    now,
  };
  const sweeping = setInterval(() => {
    approvals.sweep().catch((error: unknown) => log.warn('expired approvals stay for now', { error }));
  }, SWEEP_EVERY_MS).unref();
  return {
    guard: { ...shared, isShutOut, states: approvalStates(stateKeys) },
    pages: {
      ...shared,
      checks,
      signIn: signInAt(issuer, approvalsUrl),
      cookies: sealedCookies(stateKeys, randomBytes),
      failures: memoryFailureBudget(now),
      addressOf,
      log,
    },
    stop: () => clearInterval(sweeping),
  };
}
