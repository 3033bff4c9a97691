import type { EventLog } from '@portcullis/bus/outbox';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Says on /metrics what became of a service's events: kept, waiting for the bus, lost. Alarm on a lost one. */
export function eventFigures(registry: Registry, { stats }: Pick<EventLog, 'stats'>): void {
  const registers = [registry];
  new Counter({
    name: 'portcullis_events_kept_total',
    help: 'Events that were kept since the service started',
    registers,
    collect: total(() => stats().spooled),
  });
  new Counter({
    name: 'portcullis_events_lost_total',
    help: 'Events that were found damaged at the start, or that answers went out without',
    registers,
    collect: total(() => stats().lost),
  });
  new Gauge({
    name: 'portcullis_events_waiting',
    help: 'Events that the bus does not have yet',
    registers,
    collect() {
      this.set(stats().pending);
    },
  });
}

/** A figure that is counted elsewhere; 0 is shown, too. */
const total = (read: () => number) =>
  function (this: Counter): void {
    this.reset();
    this.inc(read());
  };

/** For /readyz: a service that cannot keep events answers nothing else, and what it lost is said beside it. */
export const eventHealth = ({ stats }: Pick<EventLog, 'stats'>) => ({
  checks: { events: async () => (stats().failing ? 'cannot be kept' : 'ok') },
  notes: { eventsLost: async () => String(stats().lost) },
});
