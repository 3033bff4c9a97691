import { DEADLINE_MS, stopping, type RunningCall, type RunningCalls } from './deadline.js';

/** How far apart all that runs is looked at, ms: a call may outlive its deadline by so much. */
const TICK_MS = 100;

/** One clock for all tools that run. It stands still when none does, and keeps no process alive. */
export function runningCalls(tickMs = TICK_MS): RunningCalls {
  // each knows its place: a Set that is added to and deleted from at every call costs a good deal more
  const calls: RunningCall[] = [];
  let clock: NodeJS.Timeout | undefined;

  const tick = (): void => {
    if (calls.length === 0) {
      clearInterval(clock);
      clock = undefined;
      return;
    }
    // neither a step of the wall clock nor one that a test makes may end a call
    const now = performance.now();
    for (const call of [...calls]) call.check(now);
  };

  return {
    add(call) {
      call.dueAt = performance.now() + (call.tool.deadlineMs ?? DEADLINE_MS);
      call.place = calls.push(call) - 1;
      clock ??= setInterval(tick, tickMs).unref();
    },
    remove(call) {
      if (calls[call.place] !== call) return;
      const last = calls.pop()!;
      if (last === call) return;
      calls[call.place] = last;
      last.place = call.place;
    },
    stopAll() {
      for (const call of [...calls]) call.stop(stopping());
    },
  };
}
