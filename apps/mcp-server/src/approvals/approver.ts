import type { ApprovalId, ApprovalRecord, Approvals, DecisionOutcome } from '@portcullis/guard/approvals';
import { EFFECTS, type BehaviourState } from '@portcullis/contract/standing';
import { Refusal } from '@portcullis/contract/refusals';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { verifyAccessToken, type TokenRules } from '@portcullis/guard/token';
import type { Caller } from '@portcullis/scopes/caller';

/** What tells that a token is good here, and whose. */
export interface ApproverChecks {
  /** audience: the approvals */
  readonly rules: TokenRules;
  /** @throws Refusal overloaded when that is not known */
  isRevoked(caller: Caller): boolean;
  stateOf(caller: Caller): BehaviourState;
}

/** A person who is signed in to approve, lately enough. */
export interface Approver {
  readonly tenant: string;
  /** the user's id */
  readonly who: string;
  /** id of the token, which stands for the session */
  readonly session: string;
}

/**
 * Who is signed in by a token.
 * @param maxAge seconds; an older sign-in is none
 * @returns undefined when nobody is (any more), or not to approve
 * @throws Refusal overloaded when it cannot be said
 */
export async function approverOf(
  token: string,
  { rules, isRevoked, stateOf }: ApproverChecks,
  maxAge: number,
): Promise<Approver | undefined> {
  const caller = await verifyAccessToken(token, rules).catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'token_invalid') return undefined;
    throw error;
  });
  if (caller?.sub === undefined || caller.clientId !== `approvals.${caller.tenant}`) return undefined;
  // a token that is bound to a key proves nothing without it
  if (caller.jkt !== undefined || !caller.scopes.has('approvals:give')) return undefined;
  if (rules.now() / 1000 - (caller.authTime ?? -Infinity) > maxAge) return undefined;
  if (isRevoked(caller) || !EFFECTS[stateOf(caller)].admitted) return undefined;
  return { tenant: caller.tenant, who: caller.sub, session: caller.tokenId };
}

/** What deciding leaves behind. */
export interface DecisionPorts {
  readonly approvals: Approvals;
  /** @throws Refusal overloaded: then nothing is decided */
  append(draft: EventDraft): Promise<unknown>;
  /** HMAC-SHA-256 (hex) of arguments under the tenant's digest key */
  argumentsDigest(tenant: string, args: unknown): string;
  /** ms since epoch */
  now(): number;
}

/** A person's yes or no, which is on record before it counts. */
export const decide = (
  { tenant, who }: Approver,
  id: ApprovalId,
  yes: boolean,
  { approvals, append, argumentsDigest, now }: DecisionPorts,
): Promise<DecisionOutcome> =>
  approvals.decide(tenant, id, who, yes, async (record: ApprovalRecord) => {
    await append({
      type: 'portcullis.approval.v1',
      tenant,
      subject: record.principal,
      at: now(),
      data: {
        action: yes ? 'approval.given' : 'approval.refused',
        clientId: record.clientId,
        sub: record.sub,
        task: record.task,
        approval: id,
        tool: record.tool,
        actor: who,
        argumentsDigest: argumentsDigest(tenant, JSON.parse(record.arguments)),
      },
    });
  });
