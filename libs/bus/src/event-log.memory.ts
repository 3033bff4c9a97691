import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import { Refusal } from '@portcullis/contract/refusals';
import { link, newChain, type EventLog } from './outbox.js';

export interface MemoryEventLogOptions {
  /** name in the events' source: `[a-z-]+` */
  readonly service: string;
  /** UUIDv7 */
  newId(): string;
  /** is told of every event, with the line that stands for it */
  readonly onEvent?: ((event: AuditEvent, line: string) => void) | undefined;
  /** events held at most; the oldest goes first. Default 1,000 */
  readonly keep?: number;
}

export interface MemoryEventLog extends EventLog {
  /** the newest events, the oldest of them first */
  recent(): readonly AuditEvent[];
}

/** Events in the memory of this process: a restart forgets them, so a service that answers for what it did uses a file. */
export function memoryEventLog({ service, newId, onEvent, keep = 1_000 }: MemoryEventLogOptions): MemoryEventLog {
  let head = newChain(service, newId());
  let spooled = 0;
  let events: AuditEvent[] = [];
  let closed = false;
  return {
    async append(draft) {
      if (closed) throw new Refusal('overloaded', { retryAfterMs: 1000 }, { detail: 'the event log is closed' });
      const next = link(head, draft, newId());
      head = next.head;
      spooled += 1;
      events.push(next.event);
      // cut in halves, so that an append costs the same whatever is held
      if (events.length >= 2 * keep) events = events.slice(-keep);
      onEvent?.(next.event, next.line);
      return next.event;
    },
    recent: () => events.slice(-keep),
    close: async () => void (closed = true),
    stats: () => ({ spooled, pending: 0, lost: 0 }),
  };
}
