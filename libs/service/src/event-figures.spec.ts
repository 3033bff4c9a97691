import type { EventLogStats } from '@portcullis/bus/outbox';
import { eventFigures, eventHealth } from './event-figures.js';
import { createMetrics } from './metrics.http.js';

const events = { now: { spooled: 0, pending: 0, lost: 0 } as EventLogStats };
const log = { stats: () => events.now };

const figuresIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('portcullis_events'))
    .sort();

test('what was kept, waits and was lost is on /metrics, nothing lost as 0', async () => {
  const registry = createMetrics('mcp-server');
  eventFigures(registry, log);
  const of = 'service="mcp-server"';
  expect(figuresIn(await registry.metrics())).toEqual([
    `portcullis_events_kept_total{${of}} 0`,
    `portcullis_events_lost_total{${of}} 0`,
    `portcullis_events_waiting{${of}} 0`,
  ]);
  events.now = { spooled: 7, pending: 2, lost: 1 };
  for (let read = 0; read < 2; read += 1) {
    expect(figuresIn(await registry.metrics())).toEqual([
      `portcullis_events_kept_total{${of}} 7`,
      `portcullis_events_lost_total{${of}} 1`,
      `portcullis_events_waiting{${of}} 2`,
    ]);
  }
});

test('a service that cannot keep events is not ready, and what was lost is said beside', async () => {
  const { checks, notes } = eventHealth(log);
  events.now = { spooled: 7, pending: 2, lost: 3 };
  expect([await checks.events(), await notes.eventsLost()]).toEqual(['ok', '3']);
  events.now = { ...events.now, failing: true };
  expect([await checks.events(), await notes.eventsLost()]).toEqual(['cannot be kept', '3']);
});
