import type { AuditEvent, EventDraft } from '@portcullis/audit-schemas/envelope';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { Log } from '@portcullis/contract/log';
import { Refusal } from '@portcullis/contract/refusals';
import { link, newChain, type EventLog } from './outbox.js';

interface LossParts {
  /** name in the events' source: `[a-z-]+` */
  readonly service: string;
  /** ms since epoch */
  now(): number;
  /** UUIDv7 */
  newId(): string;
  readonly log: Log;
}

/** Losses in a row, until an event is kept again. */
interface Burst {
  /** ms since epoch */
  readonly from: number;
  readonly events: Map<string, number>;
}

/** Beyond so many tenants a burst counts the others as of the default tenant. */
const MOST_TENANTS = 1000;

/**
 * An event log whose appends do not fail for want of room, disk or bus: answers go out without their events, and each is
 * counted (`stats().lost`), told to the operator at the beginning and the end of a burst, and, as soon as events are kept
 * again, on record in the log itself: one event `events.lost` per tenant that says how many and when. The number may be too
 * high, never too low: what a disk or a bus did not confirm may be there all the same.
 * @returns what append then gives has an id, and no place in any chain
 */
export function countLosses(inner: EventLog, { service, now, newId, log }: LossParts): EventLog {
  let lost = 0;
  let nowhere = newChain(service, 'lost');
  let burst: Burst | undefined;

  const lose = (draft: EventDraft, error: unknown): AuditEvent => {
    if (!(error instanceof Refusal) || error.code !== 'overloaded') throw error;
    const { event, head } = link(nowhere, draft, newId());
    nowhere = head;
    lost += 1;
    if (burst === undefined) {
      burst = { from: now(), events: new Map() };
      log.error('events are being lost: answers go out without them', { detail: error.detail, error: error.cause });
    }
    count(burst, draft.tenant, 1);
    return event;
  };
  const keptAgain = (ended: Burst): void => {
    burst = undefined;
    const until = now();
    log.warn('events are kept again', { lost: [...ended.events.values()].reduce((sum, some) => sum + some, 0) });
    for (const [tenant, some] of ended.events) {
      inner.append(noteOf(service, tenant, some, ended.from, until)).catch(() => {
        // it is not said yet, so it belongs to the next burst
        burst ??= { from: ended.from, events: new Map() };
        count(burst, tenant, some);
      });
    }
  };
  return {
    append: (draft, options) =>
      inner.append(draft, options).then(
        (event) => {
          if (burst) keptAgain(burst);
          return event;
        },
        (error: unknown) => lose(draft, error),
      ),
    close: () => inner.close(),
    stats: () => {
      const stats = inner.stats();
      return { ...stats, lost: stats.lost + lost };
    },
  };
}

function count({ events }: Burst, tenant: string, some: number): void {
  const of = events.has(tenant) || events.size < MOST_TENANTS ? tenant : DEFAULT_TENANT;
  events.set(of, (events.get(of) ?? 0) + some);
}

const noteOf = (service: string, tenant: string, some: number, from: number, until: number): EventDraft => ({
  type: 'portcullis.admin.v1',
  tenant,
  at: until,
  data: {
    action: 'events.lost',
    actor: service,
    reason: `${some} events between ${new Date(from).toISOString()} and ${new Date(until).toISOString()}`,
  },
});
