import type { BusStats, SubscriptionStats } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { busFigures } from './bus-figures.js';
import { createMetrics } from './metrics.http.js';

const EVENTS: SubscriptionStats = {
  topic: 'portcullis.events',
  group: 'security-analytics',
  behind: new Map([
    [0, 3],
    [1, 0],
  ]),
  handled: 7,
  rejected: 2,
  buried: 1,
  rebalances: 4,
  restarts: 5,
};
const figuresIn = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('portcullis_bus'))
    .map((line) => line.replace('service="security-analytics"', '').replace(',}', '}').replace('{}', ''))
    .sort();

test('what a service does on a shared bus is on /metrics, and asked for once a reading', async () => {
  const registry = createMetrics('security-analytics');
  let asked = 0;
  const now: BusStats = { published: 9, failedPublishes: 6, subscriptions: [EVENTS] };
  busFigures(registry, {
    stats: async () => {
      asked += 1;
      return now;
    },
  });
  const wanted = [
    'portcullis_bus_behind{topic="portcullis.events",partition="0"} 3',
    'portcullis_bus_behind{topic="portcullis.events",partition="1"} 0',
    'portcullis_bus_buried_total{topic="portcullis.events"} 1',
    'portcullis_bus_handled_total{topic="portcullis.events"} 7',
    'portcullis_bus_published_total 9',
    'portcullis_bus_publishes_refused_total 6',
    'portcullis_bus_rebalances_total{topic="portcullis.events"} 4',
    'portcullis_bus_rejected_total{topic="portcullis.events"} 2',
    'portcullis_bus_restarts_total{topic="portcullis.events"} 5',
  ];
  expect(figuresIn(await registry.metrics())).toEqual(wanted);
  expect(figuresIn(await registry.metrics())).toEqual(wanted);
  expect(asked).toBe(2);
});

test('how far behind it is, is not said while the brokers do not answer', async () => {
  const registry = createMetrics('security-analytics');
  const now: BusStats = { published: 0, failedPublishes: 0, subscriptions: [{ ...EVENTS, behind: undefined }] };
  busFigures(registry, { stats: async () => now });
  const figures = figuresIn(await registry.metrics());
  expect(figures.some((line) => line.startsWith('portcullis_bus_behind'))).toBe(false);
  expect(figures).toContain('portcullis_bus_handled_total{topic="portcullis.events"} 7');
});

test('a bus of its own has nothing to tell', async () => {
  const registry = createMetrics('security-analytics');
  busFigures(registry, memoryBus());
  expect(figuresIn(await registry.metrics())).toEqual([]);
});
