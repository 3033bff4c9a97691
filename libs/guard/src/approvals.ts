import { createHash } from 'node:crypto';
import { canonicalJson } from '@portcullis/audit-schemas/digest';
import { base32 } from '@portcullis/contract/ids';

/*
 * The records: calls that wait for people, what these said, and the port that keeps them (in memory approvals.memory.ts).
 * When a call needs one is approval.ts.
 */

/** `apr_` + 26 base32 characters: 128 random bits. */
export type ApprovalId = `apr_${string}`;
const APPROVAL = /^apr_[a-z2-7]{26}$/;
export const isApprovalId = (value: unknown): value is ApprovalId => typeof value === 'string' && APPROVAL.test(value);

/** @param random 16 bytes */
export const approvalId = (random: Uint8Array): ApprovalId => `apr_${base32(random)}`;

/** What people say yes or no to: one call, down to its last argument. All of it has to match when the yes is used. */
export interface ApprovalCall {
  readonly principal: string;
  /** undefined = the principal's rolling hour */
  readonly task: string | undefined;
  readonly tool: string;
  /** SHA-256 (hex) of {@link shownArguments} */
  readonly argumentsHash: string;
}

/** A call that somebody has to approve, as it is kept. */
export interface AskedCall extends ApprovalCall {
  readonly clientId: string;
  /** the person the caller acts for, who cannot approve; undefined for a machine's own token */
  readonly sub: string | undefined;
  /** {@link shownArguments}, for the people who decide */
  readonly arguments: string;
  /** how many different people have to say yes */
  readonly needed: 1 | 2;
}

export interface ApprovalRecord extends AskedCall {
  readonly id: ApprovalId;
  /** ms since epoch */
  readonly askedAt: number;
  /** ms since epoch; from then on nothing can be decided or spent */
  readonly expiresAt: number;
  /** in order; each person once, and after a no nobody */
  readonly decisions: readonly Decision[];
  /** ms since epoch; undefined = not used yet */
  readonly spentAt: number | undefined;
}

export interface Decision {
  /** a user's id */
  readonly by: string;
  /** ms since epoch */
  readonly at: number;
  readonly yes: boolean;
}

/**
 * What became of a decision.
 * `counted` · `own_call` nobody approves what is done in their own name · `decided_before` a person has one voice · `closed`
 * refused, approved by enough, or used · `unknown` there is no such record, not in this tenant, or not any more
 */
export type DecisionOutcome = 'counted' | 'own_call' | 'decided_before' | 'closed' | 'unknown';

/**
 * What became of spending.
 * `spent` the call may be executed, this once · `waiting` · `refused` by a person · `expired` · `used` before ·
 * `other_arguments` or another tool · `other_task` · `unknown` there is no such record, or it is not this principal's
 */
export type SpendOutcome =
  'spent' | 'waiting' | 'refused' | 'expired' | 'used' | 'other_arguments' | 'other_task' | 'unknown';

/** Says yes to a change by resolving, such as when its audit event is kept. Nobody else can change the record until then. */
export type ConfirmApproval = (record: ApprovalRecord) => Promise<void>;

/**
 * Calls that wait for people. What changes happens only if `confirm` resolves, which is told the record as it will be.
 * Each variant must pass approvals.contract.ts.
 */
export interface Approvals {
  /**
   * The record of a call: the one that is there already, whatever people said of it, while it is neither used nor expired;
   * so nobody is asked again after a no. Else a new one, unless the principal has {@link OPEN_AT_MOST} of them.
   */
  ask(tenant: string, call: AskedCall, confirm: ConfirmApproval): Promise<Asked>;
  /** The one question without a tenant: a link names a record before anybody knows whose it is. */
  tenantOf(id: ApprovalId): Promise<string | undefined>;
  /** the record, expired ones too until they are swept */
  find(tenant: string, id: ApprovalId): Promise<ApprovalRecord | undefined>;
  /** @param who the person who is signed in */
  decide(tenant: string, id: ApprovalId, who: string, yes: boolean, confirm: ConfirmApproval): Promise<DecisionOutcome>;
  /** Uses an approved record for exactly the call it was asked for: one atomic step, so that of many at once one succeeds. */
  spend(tenant: string, id: ApprovalId, call: ApprovalCall, confirm: ConfirmApproval): Promise<SpendOutcome>;
  /** Forgets what expired a day ago, of all tenants. @returns how many records are gone */
  sweep(): Promise<number>;
}
export type Asked =
  | { readonly record: ApprovalRecord; readonly fresh: boolean }
  /** integer ms until the first of them expires */
  | { readonly crowdedForMs: number };

export const APPROVAL_MS = 10 * 60_000;
export const OPEN_AT_MOST = 5;
/** Expired records are told from unknown ones for so long. */
export const KEPT_MS = 24 * 60 * 60_000;

/** The arguments as text: canonical JSON, so that equal ones are equal text. */
export const shownArguments = (args: unknown): string => canonicalJson(args);
export const argumentsHash = (shown: string): string => createHash('sha256').update(shown).digest('hex');

export type ApprovalStatus = 'waiting' | 'approved' | 'refused' | 'used' | 'expired';

/** @param now ms since epoch */
export function statusOf({ decisions, needed, spentAt, expiresAt }: ApprovalRecord, now: number): ApprovalStatus {
  if (spentAt !== undefined) return 'used';
  if (decisions.some(({ yes }) => !yes)) return 'refused';
  if (now >= expiresAt) return 'expired';
  return decisions.length >= needed ? 'approved' : 'waiting';
}

/** What a decision amounts to. `counted` = nothing speaks against it; whoever asks has to write it down in the same step. */
export function decisionOutcome(tenantsRecord: ApprovalRecord | undefined, who: string, now: number): DecisionOutcome {
  if (tenantsRecord === undefined) return 'unknown';
  const status = statusOf(tenantsRecord, now);
  if (now >= tenantsRecord.expiresAt) return 'unknown';
  if (tenantsRecord.sub === who) return 'own_call';
  if (tenantsRecord.decisions.some(({ by }) => by === who)) return 'decided_before';
  return status === 'waiting' ? 'counted' : 'closed';
}

/** What spending amounts to. `spent` = nothing speaks against it; whoever asks has to write it down in the same step. */
export function spendOutcome(tenantsRecord: ApprovalRecord | undefined, call: ApprovalCall, now: number): SpendOutcome {
  if (tenantsRecord?.principal !== call.principal) return 'unknown';
  const status = statusOf(tenantsRecord, now);
  // told first: what was used once is used, whoever tries what with it
  if (status === 'used') return 'used';
  if (tenantsRecord.tool !== call.tool || tenantsRecord.argumentsHash !== call.argumentsHash) return 'other_arguments';
  if (tenantsRecord.task !== call.task) return 'other_task';
  return status === 'approved' ? 'spent' : status;
}
