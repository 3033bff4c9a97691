import { Refusal } from '@portcullis/contract/refusals';
import type { EventData, EventDraft } from '@portcullis/audit-schemas/envelope';
import type { Caller } from '@portcullis/scopes/caller';
import {
  argumentsHash,
  isApprovalId,
  shownArguments,
  statusOf,
  type ApprovalCall,
  type ApprovalId,
  type ApprovalRecord,
  type Approvals,
  type SpendOutcome,
} from './approvals.js';
import type { CallRecord, Operation } from './call.js';
import type { AnyTool } from './tool.js';

/*
 * The step of the pipeline: has this call the people's yes that it needs? The records of those are approvals.ts; how a
 * request names one, and how it is asked for in MCP, mcp/approval-exchange.ts.
 */

/** What the guard asks of the outside when a call needs a person's yes. */
export interface ApprovalPorts {
  readonly approvals: Approvals;
  /** where people decide: the URL of one record is this, `/`, and its id */
  readonly approvalsUrl: string;
  readonly states: ApprovalStates;
  /** keeps an event. @throws Refusal overloaded: then what it tells of must not happen */
  append(draft: EventDraft): Promise<unknown>;
  /** HMAC-SHA-256 (hex) of arguments under the tenant's digest key */
  argumentsDigest(tenant: string, args: unknown): string;
  /**
   * Was a person shut out (REVOCABLE `user`) since they decided?
   * @param since ms since epoch
   * @throws Refusal overloaded when that is not known: then nothing is executed on their word
   */
  isShutOut(tenant: string, who: string, since: number): boolean;
  /** ms since epoch */
  now(): number;
}

/** What a client carries through the elicitation of a URL: the id, bound to the call it was asked for. */
export interface ApprovalStates {
  seal(id: ApprovalId, binding: string): Promise<string>;
  /** `expired` or `forged` where it is not ours, or was made for another call */
  open(state: string, binding: string): Promise<ApprovalId | 'expired' | 'forged'>;
}

/** What a request brings of an approval. None of it is a yes: only the record is. */
export interface BroughtApproval {
  /** `_meta['portcullis/approval']`, as it came */
  readonly named: unknown;
  /** `requestState`, as it came (MCP 2026-07-28, basic/patterns/mrtr) */
  readonly state: unknown;
  /** the client can be asked to open a URL, and to repeat the call after that */
  readonly opensUrls: boolean;
}

/** The client is asked to have a page opened, and to repeat the call (MCP 2026-07-28, client/elicitation, URL mode). */
export interface PageToOpen {
  readonly message: string;
  readonly url: string;
  readonly state: string;
}

/** More than this nobody reads through, and what is not read is not approved. UTF-16 units of canonical JSON. */
const MAX_SHOWN = 65_536;

/**
 * Lets a call of a tool that needs people's yes pass once they gave it, to exactly this call. Others are asked for, or told
 * what became of their asking.
 * @returns when they were asked, ms since epoch; undefined for a tool that needs nobody's yes
 * @throws Refusal approval_needed, also with too many open ones (limitType `approvals`); input_invalid when nobody could read it
 */
export async function approve(
  caller: Caller,
  operation: Exclude<Operation, { kind: 'other' }>,
  record: CallRecord,
  ports: ApprovalPorts | undefined,
): Promise<number | undefined> {
  const { tool, args } = operation;
  if (tool.approvals === undefined) return undefined;
  if (ports === undefined) throw new Refusal('internal', {}, { detail: `nobody can approve ${tool.name} here` });
  const shown = shownArguments(args);
  if (shown.length > MAX_SHOWN) {
    throw new Refusal('input_invalid', { issues: ['arguments: too long for a person to read through and approve'] });
  }
  const asking: Asking = {
    caller,
    tool,
    args,
    shown,
    call: { principal: caller.principal, task: caller.task, tool: tool.name, argumentsHash: argumentsHash(shown) },
  };
  const brought = operation.kind === 'tool' ? operation.approval : undefined;
  const id = await broughtId(brought, asking, ports);
  if (id === undefined) throw await askedFor(asking, brought?.opensUrls === true, record, ports);
  const outcome = isApprovalId(id) ? await spent(id, asking, record, ports) : id;
  if (typeof outcome !== 'number') throw await unspent(id, outcome, asking, record, ports);
  return outcome;
}

interface Asking {
  readonly caller: Caller;
  readonly tool: AnyTool;
  readonly args: unknown;
  readonly shown: string;
  readonly call: ApprovalCall;
}

/** @returns undefined when nothing was brought; what is no id of ours is as good as an unknown one */
async function broughtId(
  brought: BroughtApproval | undefined,
  asking: Asking,
  { approvalsUrl, states }: ApprovalPorts,
): Promise<ApprovalId | 'expired' | 'unknown' | undefined> {
  const { named, state } = brought ?? {};
  if (named !== undefined) {
    const text = typeof named === 'string' ? named : '';
    const id = text.startsWith(`${approvalsUrl}/`) ? text.slice(approvalsUrl.length + 1) : text;
    return isApprovalId(id) ? id : 'unknown';
  }
  if (state === undefined) return undefined;
  const id = typeof state === 'string' ? await states.open(state, bindingOf(asking)) : 'forged';
  return id === 'forged' ? 'unknown' : id;
}

/** Everything a state is good for; words that hold no blank, so that no two lists read the same. */
const bindingOf = ({ caller, call }: Asking): string =>
  [caller.tenant, call.principal, call.task ?? '-', call.tool, call.argumentsHash].join(' ');

async function askedFor(
  asking: Asking,
  opensUrls: boolean,
  record: CallRecord,
  ports: ApprovalPorts,
): Promise<Refusal> {
  const { caller, tool, call, shown } = asking;
  const { tenant, clientId, sub } = caller;
  const answer = await ports.approvals.ask(
    tenant,
    { ...call, clientId, sub, arguments: shown, needed: tool.approvals ?? 2 },
    (fresh) => append('approval.asked', fresh.id, asking, ports),
  );
  if ('crowdedForMs' in answer) {
    return new Refusal('approval_needed', {
      limitType: 'approvals',
      remaining: 0,
      retryAfterMs: answer.crowdedForMs,
      hint: 'Too many calls of this agent wait for approval already. Use one of them, or wait until one expires.',
    });
  }
  record.approval = answer.record.id;
  expectStanding(answer.record, caller.tenant, ports);
  const status = statusOf(answer.record, ports.now());
  if (opensUrls && status === 'waiting') {
    const url = urlOf(answer.record.id, ports);
    const state = await ports.states.seal(answer.record.id, bindingOf(asking));
    record.pageToOpen = { message: `A person other than you has to approve this call of ${tool.name}.`, url, state };
  }
  return needed(answer.record, ports);
}

/** A refusal that says where a record stands, to the principal it belongs to. */
function needed(approval: ApprovalRecord, ports: ApprovalPorts): Refusal {
  const status = statusOf(approval, ports.now());
  if (status === 'refused') return refusedBecause('refused');
  const url = urlOf(approval.id, ports);
  const hint =
    status === 'approved'
      ? `It is approved: repeat the call with _meta["portcullis/approval"] = "${approval.id}".`
      : [
          `Approved by ${approval.decisions.length} of ${approval.needed}, and open until ${new Date(approval.expiresAt).toISOString()}.`,
          `Approval URL: ${url}`,
          `Then repeat the same call with _meta["portcullis/approval"] = "${approval.id}".`,
        ].join('\n');
  return new Refusal('approval_needed', { approvalUrl: url, approval: approval.id, hint }, { detail: status });
}

const urlOf = (id: ApprovalId, { approvalsUrl }: ApprovalPorts): string => `${approvalsUrl}/${id}`;

/** @returns when it was asked for, ms since epoch; or why it is not spent */
async function spent(
  id: ApprovalId,
  asking: Asking,
  record: CallRecord,
  ports: ApprovalPorts,
): Promise<number | Exclude<SpendOutcome, 'spent'>> {
  const { tenant } = asking.caller;
  let askedAt = 0;
  const outcome = await ports.approvals.spend(tenant, id, asking.call, async (spending) => {
    record.approval = id;
    askedAt = spending.askedAt;
    expectStanding(spending, tenant, ports);
    await append('approval.spent', id, asking, ports);
  });
  // whose it is not, does not have it in its events either
  if (outcome !== 'unknown') record.approval = id;
  return outcome === 'spent' ? askedAt : outcome;
}

/** @throws Refusal approval_needed when somebody was shut out since they decided: what they said counts no more */
function expectStanding({ decisions, expiresAt }: ApprovalRecord, tenant: string, { isShutOut }: ApprovalPorts): void {
  if (!decisions.some(({ by, at, yes }) => yes && isShutOut(tenant, by, at))) return;
  const until = new Date(expiresAt).toISOString();
  const hint = `Somebody who approved this call was shut out since, and their word counts no more. It can be asked for again after ${until}.`;
  throw new Refusal('approval_needed', { hint }, { detail: 'approved by somebody who was shut out since' });
}

type Unspent = Exclude<SpendOutcome, 'spent' | 'waiting'>;
/** What a caller reads, and whether it speaks against it: to have asked for one thing and done another does. */
const BECAUSE: Readonly<Record<Unspent, { readonly says: string; readonly denial: boolean }>> = {
  refused: { says: 'A person refused this call. It will not be approved by asking again.', denial: false },
  expired: { says: 'This approval has expired. Repeat the call without it to ask again.', denial: false },
  used: {
    says: 'This approval was used already, and is good for one call. Repeat the call without it to ask again.',
    denial: true,
  },
  other_arguments: {
    says: 'This approval is for another call. It is good for the very tool and arguments that were asked for. Repeat the call without it to ask for this one.',
    denial: true,
  },
  other_task: {
    says: 'This approval was asked for in another task. Repeat the call without it to ask again.',
    denial: false,
  },
  unknown: { says: 'There is no such approval. Repeat the call without it to ask for one.', denial: true },
};

const refusedBecause = (outcome: Unspent): Refusal =>
  new Refusal('approval_needed', { hint: BECAUSE[outcome].says }, { detail: outcome });

async function unspent(
  id: ApprovalId | Unspent,
  outcome: Exclude<SpendOutcome, 'spent'>,
  { caller }: Asking,
  record: CallRecord,
  ports: ApprovalPorts,
): Promise<Refusal> {
  if (outcome === 'waiting') {
    const waiting = isApprovalId(id) ? await ports.approvals.find(caller.tenant, id) : undefined;
    if (waiting !== undefined) expectStanding(waiting, caller.tenant, ports);
    return waiting === undefined ? refusedBecause('expired') : needed(waiting, ports);
  }
  record.denial = BECAUSE[outcome].denial;
  return refusedBecause(outcome);
}

/** An event of one approval, by the agent that asks for it or uses it. */
async function append(
  action: EventData<'portcullis.approval.v1'>['action'],
  approval: ApprovalId,
  { caller, tool, args }: Asking,
  { append: keep, argumentsDigest, now }: ApprovalPorts,
): Promise<void> {
  const { tenant, principal, clientId, sub, task } = caller;
  await keep({
    type: 'portcullis.approval.v1',
    tenant,
    subject: principal,
    at: now(),
    data: { action, clientId, sub, task, approval, tool: tool.name, argumentsDigest: argumentsDigest(tenant, args) },
  });
}

/** @throws Error when a tool needs people's yes where nobody can give it */
export function expectApprovers(tools: ReadonlyMap<string, AnyTool>, ports: ApprovalPorts | undefined): void {
  if (ports !== undefined) return;
  const [unserved] = [...tools.values()].filter(({ approvals }) => approvals !== undefined);
  if (unserved)
    throw new Error(
      `${unserved.name} needs approval by people, and nobody can approve calls of ${unserved.name} here: no 'approval' is given`,
    );
}
