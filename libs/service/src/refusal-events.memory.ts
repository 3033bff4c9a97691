import type { EventLog } from '@portcullis/bus/outbox';
import { networkOf } from '@portcullis/guard/addresses';

type EventDraft = Parameters<EventLog['append']>[0];

/**
 * Puts refusals of requests that anybody can send on record. Resolves when the event is kept, or left out.
 * @param event makes it; `more` belongs at the end of its reason: how many were left out before, '' for none
 */
export type RecordRefusal = (address: string, event: (more: string) => EventDraft) => Promise<void>;

const WINDOW_MS = 60_000;
const MOST_OF_NETWORK = 60;
const MOST_NETWORKS = 10_000;

/**
 * So many events a minute and network, that nobody fills the log by being refused; the next one says how many more there
 * were. One process's memory; bounded.
 * @param now ms since epoch
 */
export function boundedRefusals({ append }: Pick<EventLog, 'append'>, now: () => number): RecordRefusal {
  const windows = new Map<string, { since: number; kept: number; leftOut: number }>();
  return async (address, event) => {
    const at = now();
    const network = networkOf(address);
    const window = windows.get(network) ?? { since: at, kept: 0, leftOut: 0 };
    if (at - window.since >= WINDOW_MS) Object.assign(window, { since: at, kept: 0 });
    windows.delete(network);
    windows.set(network, window);
    // the one that has been quiet for longest makes room
    const oldest = windows.keys().next().value;
    if (windows.size > MOST_NETWORKS && oldest !== undefined) windows.delete(oldest);
    if (window.kept >= MOST_OF_NETWORK) {
      window.leftOut += 1;
      return;
    }
    window.kept += 1;
    const more = window.leftOut === 0 ? '' : `; ${window.leftOut} more from there were left out`;
    window.leftOut = 0;
    await append(event(more));
  };
}
