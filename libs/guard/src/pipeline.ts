import { EFFECTS, type BehaviourState } from '@portcullis/contract/standing';
import { Refusal } from '@portcullis/contract/refusals';
import type { LimitVerdict } from '@portcullis/contract/limits';
import type { Limiter } from '@portcullis/limits/limiter';
import { beyondCeiling, missingScopes } from '@portcullis/scopes/scopes';
import type { Caller } from '@portcullis/scopes/caller';
import type * as z from 'zod';
import { networkOf } from './addresses.js';
import { CLOCK_SKEW } from './token.js';
import type { Authenticated, Credentials } from './credentials.js';
import { approve, type ApprovalPorts } from './approval.js';
import { attempt, hasEffect, safeArguments, type AttemptLog } from './attempt.js';
import { neededScopes, type CallRecord, type Operation, type Step } from './call.js';
import { expectStillUnchained, expectUnchained, noteBegun, type ChainPorts, type Following } from './chain.js';
import { cancelled, execute, lookUp, type RunningCalls, type Waiting } from './deadline.js';
import { screenArguments, screenOutput } from './screen.js';
import { refuseOldLogin } from './fresh-login.js';
import type { Slots } from './slots.js';
import { noteMissing, takeNamed, takeShown } from './task.js';
import type { AnyTool, ToolContext } from './tool.js';

/** What the guard asks of the outside. A port is named by what it answers. */
export interface GuardPorts extends ChainPorts {
  /** @throws Refusal token_missing, token_invalid, dpop_invalid; rate_limited after too many of those, overloaded */
  callerOf(headers: Credentials): Authenticated | Promise<Authenticated>;
  /** was the token revoked before it expired? Asked on every call, whatever was cached of it. @throws Refusal overloaded */
  isRevoked(caller: Caller): boolean;
  /** the state the caller is in now; asked on every call, whatever was cached of its token */
  stateOf(caller: Caller): BehaviourState;
  /**
   * Was it heard of late who is contained and what is revoked? If not, only what touches nothing goes on (`effects: ['none']`).
   * Always so unless given.
   */
  isStandingFresh?(): boolean;
  readonly limiter: Limiter;
  /** how much is taken on at a time */
  readonly slots: Slots;
  /** looks after the tools that run */
  readonly running: RunningCalls;
  /** names of the tools whose definition nobody approved (pins.ts); none unless given */
  readonly drifted?: ReadonlySet<string>;
  /** what tools work with, narrowed to the caller's tenant; what they wait for ends with the call's signal */
  depsFor(caller: Caller, context: ToolContext): unknown;
  /** takes secrets and personal data out of a validated output, by the labels of its schema */
  redact(schema: z.ZodType, output: unknown): unknown;
  /** how people approve calls; needed where a tool has `approvals` */
  readonly approval?: ApprovalPorts | undefined;
  /** ms since epoch */
  now(): number;
}

/** A request as it arrives: headers first, its body only when asked for. */
export interface Arriving extends Credentials {
  /**
   * Reads the bounded body and says what it asks for.
   * @throws Refusal body_too_large, batch_unsupported, json_malformed, header_mismatch, tool_unknown …
   */
  readOperation(caller: Caller): Promise<Operation>;
}

/** The key to the second door, which it opens once. */
class Key {
  #turned = false;

  constructor(
    readonly caller: Caller,
    readonly operation: Operation,
    readonly record: CallRecord,
  ) {}

  static isFresh(value: unknown): value is Key {
    return typeof value === 'object' && value !== null && #turned in value && !value.#turned;
  }

  static turn(key: Key): void {
    if (!Key.isFresh(key)) throw new Refusal('internal', {}, { detail: 'run without a fresh key from admit' });
    key.#turned = true;
  }
}
/** A call that has passed the first door. Only {@link admit} makes one, so {@link run} cannot come first. */
export type AdmittedCall = Key;
/** True for a key cut by {@link admit} and not yet turned; a look-alike object is not one. */
export const isAdmitted = Key.isFresh;

/** First door. Its refusals become HTTP 401, 403 and 429, so it runs before any byte of the answer. Every method passes it. */
export async function admit(arriving: Arriving, record: CallRecord, ports: GuardPorts): Promise<AdmittedCall> {
  const took = stopwatch(ports, record);
  const known = ports.callerOf(arriving);
  const { caller, dpopNonce } = known instanceof Promise ? await known : known;
  record.caller = caller;
  record.dpopNonce = dpopNonce;
  took('token');
  refuseRevoked(caller, ports);
  const state = refuseContained(ports.stateOf(caller));
  took('standing');
  record.slot = ports.slots.enter(caller.tenant, caller.principal);
  // what answers at once is not waited for, here and below: a turn of the loop costs more than the answer
  const from = whereFrom(arriving);
  const arrived = mayArrive(caller, from, state, record, ports);
  if (arrived) await arrived;
  took('arrival');
  const operation = (record.operation = await arriving.readOperation(caller));
  took('read');
  // A body may take its time to arrive, and the token may have been revoked or the caller contained meanwhile.
  const now = ports.now();
  refuseExpired(caller, now);
  refuseRevoked(caller, ports);
  const stateNow = refuseContained(ports.stateOf(caller));
  authorize(caller, operation, record, now);
  refuseStale(operation, ports);
  took('scopes');
  const verdict = mayCall(caller, from, operation, stateNow, record, ports);
  record.lease = verdict instanceof Promise ? await verdict : verdict;
  took('limits');
  return new Key(caller, operation, record);
}

/**
 * Second door, for `tools/call` and `resources/read`. Its refusals become results that the model can read and act upon;
 * for `resources/read`, which has no such result, JSON-RPC errors.
 * @param client for whom it is done, and what keeps that it is about to be done
 */
export async function run(call: AdmittedCall, ports: GuardPorts, client: Waiting & AttemptLog): Promise<unknown> {
  Key.turn(call);
  const { caller, operation, record } = call;
  if (operation.kind === 'other') throw new Refusal('internal', {}, { detail: `run of ${operation.method}` });
  const { tool, args } = operation;
  if (ports.drifted?.has(tool.name)) throw new Refusal('tool_drifted', {}, { detail: `${tool.name} is not pinned` });
  const took = stopwatch(ports, record);
  const following: Following = { caller, tool, record };
  const unchained = expectUnchained(following, ports);
  if (unchained) await unchained;
  took('chain');
  const input = validate(tool, args);
  record.arguments = safeArguments(tool, input);
  took('validate');
  const screened = screenArguments(following, args, ports);
  if (screened) await screened;
  took('screen');
  const underway = { record, calls: ports.running, waiting: client };
  const taken = takeNamed(
    following,
    input,
    (customersOf) => lookUp(tool, (context) => customersOf(input, ports.depsFor(caller, context) as never), underway),
    ports,
  );
  const customers = taken instanceof Promise ? await taken : taken;
  took('task');
  let approvalAskedAt: number | undefined;
  if (tool.approvals !== undefined) {
    // no yes of a person is spent for nobody
    if (client.isGone()) throw cancelled();
    approvalAskedAt = await approve(caller, operation, record, ports.approval);
    took('approval');
  }
  if (client.isGone()) throw cancelled();
  if (hasEffect(tool)) {
    await attempt(record, client);
    took('attempt');
  }
  const begun = noteBegun(following, ports);
  if (begun) await begun;
  const depsFor = (context: ToolContext): unknown => ports.depsFor(caller, context);
  // others of this agent may have begun while this one waited for people or for its record
  const still = expectStillUnchained(following, ports);
  if (still) await still;
  let output: unknown;
  try {
    output = await execute(tool, input, depsFor, { ...underway, customers, approvalAskedAt });
  } catch (error) {
    noteMissing(following, error);
    throw error;
  }
  took('execute');
  const redacted = ports.redact(tool.output, output);
  took('redact');
  const shown = takeShown(following, output, ports);
  if (shown) await shown;
  const labelled = screenOutput(following, redacted, ports);
  if (labelled) await labelled;
  took('label');
  return redacted;
}

/** The answer to a token that was revoked (RFC 6750 §3.1). */
export const revoked = (): Refusal => new Refusal('token_invalid', {}, { detail: 'revoked' });

function refuseRevoked(caller: Caller, { isRevoked }: GuardPorts): void {
  if (isRevoked(caller)) throw revoked();
}

function refuseContained(state: BehaviourState): BehaviourState {
  if (!EFFECTS[state].admitted) throw new Refusal('quarantined', {}, { detail: `state ${state}` });
  return state;
}

/**
 * The caller may have been contained, or the token revoked, without word of it. No setting lets a tool through that reads
 * what is somebody's, writes, destroys or sends.
 */
function refuseStale(operation: Operation, { isStandingFresh }: GuardPorts): void {
  if (operation.kind === 'other' || isStandingFresh === undefined) return;
  if (operation.tool.effects.every((effect) => effect === 'none') || isStandingFresh()) return;
  throw new Refusal(
    'overloaded',
    { retryAfterMs: 1000 },
    { detail: 'the feeds of standing and revocations are stale' },
  );
}

function refuseExpired({ expiresAt }: Caller, now: number): void {
  if (now / 1000 >= expiresAt + CLOCK_SKEW) throw new Refusal('token_invalid', {}, { detail: 'expired on the way' });
}

function authorize(caller: Caller, operation: Operation, record: CallRecord, now: number): void {
  const needed = neededScopes(operation);
  if (missingScopes(caller.scopes, needed).length > 0) {
    const beyond = beyondCeiling(caller.ceiling, needed);
    record.denial = beyond.length > 0;
    const hint = record.denial ? `This client can never be granted: ${beyond.join(' ')}.` : undefined;
    throw new Refusal('scope_insufficient', { scopes: needed, ...(hint && { hint }) });
  }
  const maxAge = operation.kind === 'other' ? undefined : operation.tool.freshLogin;
  if (maxAge !== undefined) refuseOldLogin(caller, maxAge, needed, now);
}

/** Where limits count a request as coming from. A socket that is gone has forgotten its address, and that is one for all such. */
const whereFrom = ({ address }: Arriving): string => (address === '' ? 'unknown' : networkOf(address));

/** A request counts when it arrives, whatever becomes of it, and before its body costs anything. */
function mayArrive(
  { tenant, principal, sub: user }: Caller,
  address: string,
  state: BehaviourState,
  record: CallRecord,
  { limiter }: GuardPorts,
): void | Promise<unknown> {
  const share = EFFECTS[state].limitShare;
  const verdict = limiter.decide({ tenant, principal, user, address, stage: 'arrival', share });
  if (verdict instanceof Promise) return verdict.then((answer) => passed(answer, record));
  passed(verdict, record);
}

/** Takes from the limits of the caller and of the tool. */
function mayCall(
  { tenant, principal, sub: user }: Caller,
  address: string,
  operation: Operation,
  state: BehaviourState,
  record: CallRecord,
  { limiter }: GuardPorts,
): Admission | Promise<Admission> {
  const share = EFFECTS[state].limitShare;
  const verdict =
    operation.kind === 'other'
      ? limiter.decide({ tenant, principal, user, address, share })
      : limiter.decide({
          tenant,
          principal,
          user,
          address,
          tool: operation.tool.name,
          llmTokens: operation.tool.limit.llmTokens,
          share,
        });
  return verdict instanceof Promise ? verdict.then((answer) => passed(answer, record)) : passed(verdict, record);
}

type Admission = LimitVerdict & { allowed: true };
function passed(verdict: LimitVerdict, record: CallRecord): Admission {
  record.verdict = verdict;
  if (verdict.allowed) return verdict;
  const { limitType, remaining, retryAfterMs } = verdict;
  throw new Refusal('rate_limited', { limitType, remaining, retryAfterMs });
}

function validate(tool: AnyTool, args: unknown): unknown {
  const parsed = tool.input.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  const { issues: found } = parsed.error;
  // a message may repeat a key the caller made up, so its length is the caller's too until it is cut
  const issues = found
    .slice(0, 10)
    .map(({ path, message }) => `${path.join('.') || 'arguments'}: ${message}`.slice(0, 200));
  throw new Refusal('input_invalid', { issues });
}

/** Notes how many milliseconds each step took, as it ends. */
function stopwatch({ now }: GuardPorts, { stepsMs }: CallRecord): (step: Step) => void {
  let last = now();
  return (step) => {
    const at = now();
    if (at > last) stepsMs[step] = at - last;
    last = at;
  };
}
