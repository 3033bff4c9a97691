import { Refusal } from '@portcullis/contract/refusals';
import { printable } from '@portcullis/validators/text';
import { hasEffect } from './attempt.js';
import type { CallRecord } from './call.js';
import { SILENT, type Exchange } from './exchange.js';
import type { AnyTool, ToolContext } from './tool.js';

/** How long a tool may take that does not say otherwise, ms. */
export const DEADLINE_MS = 10_000;

/** For whom a call is done. */
export interface Waiting {
  /** true when nobody waits for the answer any more */
  isGone(): boolean;
  /** what the call says besides its arguments; nothing unless given */
  readonly exchange?: Exchange;
}

/**
 * A tool that runs, and what it is told of its call. Neither a timer nor an AbortController is made for it: one clock
 * looks after all of them (`RunningCalls`), and the signal is made when the tool asks for it.
 */
export class RunningCall implements ToolContext {
  #stopped: Refusal | undefined;
  #abort: AbortController | undefined;
  #giveUp: ((reason: Refusal) => void) | undefined;
  /** on the clock of whoever looks after it, ms */
  dueAt = Infinity;
  /** where whoever looks after it keeps it */
  place = -1;

  constructor(
    readonly tool: Pick<AnyTool, 'deadlineMs' | 'effects'>,
    private readonly waiting: Waiting,
    readonly customers?: readonly string[] | undefined,
    readonly approvalAskedAt?: number | undefined,
  ) {}

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#stopped !== undefined) this.#abort.abort(this.#stopped);
    }
    return this.#abort.signal;
  }

  get exchange(): Exchange {
    return this.waiting.exchange ?? SILENT;
  }

  /** Tells the tool to stop, and its caller at once, whether the tool heeds it or not. */
  stop(reason: Refusal): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    this.#abort?.abort(reason);
    this.#giveUp?.(reason);
  }

  /** @param now on the clock that `dueAt` is on */
  check(now: number): void {
    if (this.waiting.isGone()) this.stop(cancelled());
    else if (now >= this.dueAt) this.stop(overdue(this.tool));
  }

  /** @param giveUp is told when it is stopped, and why */
  onStopped(giveUp: (reason: Refusal) => void): void {
    this.#giveUp = giveUp;
  }
}

/** Looks after the tools that run: stops those that are overdue, and those that nobody waits for. */
export interface RunningCalls {
  add(call: RunningCall): void;
  remove(call: RunningCall): void;
  /** Stops all that run, when the server has waited for them long enough. */
  stopAll(): void;
}

/** A call whose tool runs: its record, who looks after it, and for whom it is done. */
export interface Underway {
  readonly record: CallRecord;
  readonly calls: RunningCalls;
  readonly waiting: Waiting;
  /** those it may touch, once they are known */
  readonly customers?: readonly string[] | undefined;
  readonly approvalAskedAt?: number | undefined;
}

/**
 * Executes a tool under its deadline, for as long as somebody waits.
 * @throws Refusal of the tool's own; tool_failed for whatever else it throws, for an output that breaks its own schema,
 *   and when it takes too long; cancelled when the client is gone; overloaded when the server stops
 */
export async function execute(
  tool: AnyTool,
  input: unknown,
  depsFor: (context: ToolContext) => unknown,
  underway: Underway,
): Promise<unknown> {
  try {
    const work = (context: ToolContext) => tool.execute(input, depsFor(context) as never, context);
    return tool.output.parse(await supervised(tool, work, underway));
  } catch (error) {
    throw failed(error);
  }
}

/**
 * Asks what a tool has to look up before it is executed, under the deadline that its execution has.
 * @throws Refusal as {@link execute} does
 */
export async function lookUp<T>(
  tool: AnyTool,
  look: (context: ToolContext) => T | Promise<T>,
  underway: Underway,
): Promise<T> {
  try {
    return await supervised(tool, look, underway);
  } catch (error) {
    throw failed(error);
  }
}

/**
 * Work that does not heed its signal is given up: its late result is dropped, and `record.unfinished` tells when it really
 * ended, so that its slot is held until then and callers cannot pile up behind it.
 */
function supervised<T>(
  tool: AnyTool,
  begin: (context: ToolContext) => T | Promise<T>,
  { record, calls, waiting, customers, approvalAskedAt }: Underway,
): Promise<T> {
  const running = new RunningCall(tool, waiting, customers, approvalAskedAt);
  // one promise for all of it: this is on the way of every call
  return new Promise((resolve, reject) => {
    // what is thrown before anything was waited for rejects it, too
    const work = Promise.resolve(begin(running));
    const over = <V>(tell: (value: V) => void) => {
      return (value: V): void => {
        calls.remove(running);
        tell(value);
      };
    };
    calls.add(running);
    running.onStopped((reason) => {
      calls.remove(running);
      record.unfinished = work.then(endedWell, classOf);
      reject(record.attempt === undefined ? reason : perhapsDone(reason));
    });
    work.then(over(resolve), over(reject));
  });
}

/** Whoever reads the event of a call with an effect has to know that nobody saw how it ended. */
const perhapsDone = ({ code, facts, detail = code }: Refusal): Refusal =>
  new Refusal(code, facts, { detail: `${detail}; whether it took effect is not known` });
const failed = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal('tool_failed', {}, { cause: error });
const endedWell = (): undefined => undefined;

/** All that may be told of what a tool threw; its message may hold anything. Must not throw: a slot waits for it. */
function classOf(thrown: unknown): string {
  try {
    return (thrown instanceof Error && printable(thrown.constructor.name, 64)) || typeof thrown;
  } catch {
    return typeof thrown;
  }
}

/** The refusal of a call that nobody waits for. */
export const cancelled = (): Refusal => new Refusal('cancelled', {}, { detail: 'the client went away' });

export const stopping = (): Refusal =>
  new Refusal('overloaded', { retryAfterMs: 1000, hint: 'The server is stopping.' }, { detail: 'stopped by a drain' });

const overdue = (tool: RunningCall['tool']): Refusal => {
  const after = `It took longer than ${(tool.deadlineMs ?? DEADLINE_MS) / 1000} s and was given up`;
  const hint = hasEffect(tool) ? `${after}; whether it took effect is not known.` : `${after}.`;
  return new Refusal('tool_failed', { hint }, { detail: 'deadline' });
};
