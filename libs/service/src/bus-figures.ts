import type { Bus, BusStats, SubscriptionStats } from '@portcullis/bus/bus';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What is counted of each subscription. */
const COUNTED = {
  handled: 'Messages of the bus that were handled',
  rejected: 'Batches of messages that a handler rejected; each comes again',
  buried: 'Messages that can never be taken, and went to the dead letters',
  rebalances: 'How often the partitions of a topic were dealt out anew among replicas',
  restarts: 'How often reading a topic broke off and began again',
} as const satisfies Partial<Record<keyof SubscriptionStats, string>>;

/** Says on /metrics how a service does on the bus that it shares with others; a bus of its own says nothing. */
export function busFigures(registry: Registry, { stats }: Pick<Bus, 'stats'>): void {
  if (stats === undefined) return;
  const registers = [registry];
  let asked: Promise<BusStats> | undefined;
  /** All figures of one reading are asked for at once. */
  const ask = (): Promise<BusStats> =>
    (asked ??= stats().finally(() => {
      asked = undefined;
    }));
  const total = (name: string, help: string, read: (all: BusStats) => number): Counter =>
    new Counter({
      name,
      help,
      registers,
      async collect() {
        const all = await ask();
        this.reset();
        this.inc(read(all));
      },
    });
  total('portcullis_bus_published_total', 'Messages that the brokers have stored', ({ published }) => published);
  total(
    'portcullis_bus_publishes_refused_total',
    'Publishes that the brokers did not take; each is tried again',
    ({ failedPublishes }) => failedPublishes,
  );
  for (const [figure, help] of Object.entries(COUNTED) as [keyof typeof COUNTED, string][]) {
    new Counter({
      name: `portcullis_bus_${figure}_total`,
      help,
      labelNames: ['topic'],
      registers,
      async collect() {
        const { subscriptions } = await ask();
        this.reset();
        for (const one of subscriptions) this.inc({ topic: one.topic }, one[figure]);
      },
    });
  }
  new Gauge({
    name: 'portcullis_bus_behind',
    help: 'Messages of a partition that wait to be handled by this service: by all its replicas together, or, of a compacted topic, by this one. Absent while the brokers do not answer',
    labelNames: ['topic', 'partition'],
    registers,
    async collect() {
      const { subscriptions } = await ask();
      this.reset();
      for (const { topic, behind } of subscriptions)
        for (const [partition, count] of behind ?? []) this.set({ topic, partition }, count);
    },
  });
}
