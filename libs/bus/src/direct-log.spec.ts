import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import type { Bus } from './bus.js';
import { directEventLog, type DirectLogOptions } from './direct-log.memory.js';
import type { EventLog } from './outbox.js';
import { chainOf, draft, ids, notingBus, until } from './outbox.fixture.js';

const opened: EventLog[] = [];
function open(bus: Bus, more: Partial<DirectLogOptions> = {}): EventLog {
  const log = directEventLog({
    service: 'mcp-server',
    bus,
    now: Date.now,
    newId: ids(),
    log: silentLog,
    maxBackoffMs: 5,
    ...more,
  });
  opened.push(log);
  return log;
}
afterEach(() => Promise.all(opened.splice(0).map((log) => log.close())));

/** A bus whose publishes end when told to. */
function slowBus() {
  const publishes: { values: string[]; end: () => void }[] = [];
  const bus: Bus = {
    ...notingBus(),
    publish: (_, messages) =>
      new Promise((resolve) => publishes.push({ values: messages.map(({ value }) => value), end: resolve })),
  };
  return { bus, publishes };
}
const valuesOf = (bus: ReturnType<typeof notingBus>) => bus.taken.map(({ value }) => value);
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
};

describe('events straight to the bus', () => {
  it('are answered when the bus has answered for them, all of a turn by one publish', async () => {
    const { bus, publishes } = slowBus();
    const log = open(bus);
    const answered: number[] = [];
    for (const method of ['a', 'b']) void log.append(draft(method)).then(({ seq }) => answered.push(seq));
    await turns();
    void log.append(draft('c')).then(({ seq }) => answered.push(seq));
    void log.append(draft('d')).then(({ seq }) => answered.push(seq));
    await turns();
    expect([answered, publishes.length]).toEqual([[], 1]);
    expect(log.stats()).toMatchObject({ spooled: 0, pending: 4 });
    publishes[0]?.end();
    await turns();
    expect(answered).toEqual([1, 2]);
    publishes[1]?.end();
    await turns();
    expect(answered).toEqual([1, 2, 3, 4]);
    expect(publishes).toHaveLength(2);
    expect(chainOf(publishes.flatMap(({ values }) => values))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are tried until the bus takes them, in their order', async () => {
    const bus = notingBus('refuses');
    const log = open(bus);
    const first = log.append(draft('a'));
    await until(() => bus.tries >= 3);
    expect(log.stats()).toMatchObject({ failing: true, pending: 1 });
    const second = log.append(draft('b'));
    bus.mode = 'takes';
    await Promise.all([first, second]);
    expect(chainOf(valuesOf(bus))).toEqual(['a', 'b']);
    expect(log.stats()).toEqual({ spooled: 2, pending: 0, lost: 0, failing: false });
  });

  it('are refused when the bus does not answer in time, and the chain is whole when it does at last', async () => {
    const bus = notingBus('refuses');
    const log = open(bus, { waitMs: 20 });
    await expect(log.append(draft('a'))).rejects.toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1000 } });
    bus.mode = 'takes';
    await log.append(draft('b'));
    expect(chainOf(valuesOf(bus))).toEqual(['a', 'b']);
  });

  it('are refused when the bus hangs, each after its own time', async () => {
    const log = open(notingBus('hangs'), { waitMs: 20 });
    const outcomes = await Promise.allSettled([log.append(draft('a')), log.append(draft('b'))]);
    expect(outcomes).toMatchObject([{ reason: { code: 'overloaded' } }, { reason: { code: 'overloaded' } }]);
    await expect(log.append(draft('c'))).rejects.toMatchObject({ code: 'overloaded' });
  }, 10_000);

  it('wait in a bounded room, and are refused at once when it is full', async () => {
    const { bus, publishes } = slowBus();
    const log = open(bus, { maxBytes: 2000 });
    const outcomes = Promise.allSettled(Array.from({ length: 20 }, (_, i) => log.append(draft(`m${i}`))));
    await turns();
    const { pending } = log.stats();
    expect(pending).toBeGreaterThan(2);
    expect(pending).toBeLessThan(6);
    publishes[0]?.end();
    const kept = (await outcomes).filter(({ status }) => status === 'fulfilled');
    expect(kept).toHaveLength(pending);
    void log.append(draft('after'));
    await turns();
    publishes[1]?.end();
    await turns();
    const values = publishes.flatMap((publish) => publish.values);
    expect(chainOf(values)).toEqual([...Array.from({ length: pending }, (_, i) => `m${i}`), 'after']);
  });

  it('come in publishes of a bounded size', async () => {
    const bus = notingBus();
    const sizes: number[] = [];
    const log = open({
      ...bus,
      publish: async (_, messages) =>
        void sizes.push(messages.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0)),
    });
    await Promise.all(Array.from({ length: 5000 }, (_, i) => log.append(draft(`m${i}`))));
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(512 * 1024);
  });

  it('that wait at the end are refused when the bus does not take them, so that nobody believes they are kept', async () => {
    const log = open(notingBus('refuses'));
    const waiting = log.append(draft('a'));
    const refused = expect(waiting).rejects.toMatchObject({ code: 'overloaded' });
    await log.close();
    await refused;
  });

  it.each(['mcp server', 'Mcp', ''])('have no source named "%s"', (service) => {
    expect(() => open(notingBus(), { service })).toThrow('no name for a service');
  });
});
