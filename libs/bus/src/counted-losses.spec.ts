import { describe, expect, it } from '@jest/globals';
import type { EventData } from '@portcullis/audit-schemas/envelope';
import { Refusal } from '@portcullis/contract/refusals';
import { countLosses } from './counted-losses.js';
import { memoryEventLog } from './event-log.memory.js';
import { chainOf, draft, ids } from './outbox.fixture.js';

/** A log that takes what it is told to, and what is said about it. */
function failing() {
  const says: { level: string; message: string; facts: unknown }[] = [];
  const lines: string[] = [];
  const inner = memoryEventLog({ service: 'mcp-server', newId: ids(), onEvent: (_, line) => lines.push(line) });
  const state = { full: true, now: Date.UTC(2026, 0, 1) };
  const note =
    (level: string) =>
    (message: string, facts: unknown): void =>
      void says.push({ level, message, facts });
  const log = countLosses(
    {
      ...inner,
      append: async (...args) => {
        if (state.full) throw new Refusal('overloaded', {}, { detail: 'the spool is full' });
        return inner.append(...args);
      },
    },
    {
      service: 'mcp-server',
      now: () => state.now,
      newId: ids(),
      log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    },
  );
  return { log, state, says, lines };
}
const turns = () => new Promise((resolve) => setImmediate(resolve));

describe('answers that go out without their events', () => {
  it('have the id of an event that is in no chain, and each is counted', async () => {
    const { log, lines } = failing();
    const [a, b] = await Promise.all([log.append(draft('a')), log.append(draft('b'), { synced: true })]);
    expect(a.id).not.toBe(b.id);
    expect(a.source).toBe('/portcullis/mcp-server/lost');
    expect(log.stats()).toMatchObject({ spooled: 0, lost: 2 });
    expect(lines).toEqual([]);
  });

  it('are told to the operator once a burst, and once more when it is over', async () => {
    const { log, state, says } = failing();
    for (let i = 0; i < 3; i += 1) await log.append(draft());
    state.full = false;
    for (let i = 0; i < 3; i += 1) await log.append(draft());
    expect(says).toEqual([
      {
        level: 'error',
        message: 'events are being lost: answers go out without them',
        facts: { detail: 'the spool is full' },
      },
      { level: 'warn', message: 'events are kept again', facts: { lost: 3 } },
    ]);
    state.full = true;
    await log.append(draft());
    expect(says).toHaveLength(3);
    expect(log.stats()).toMatchObject({ lost: 4 });
  });

  it('are on record as soon as events are kept again, how many and when, for each tenant its own', async () => {
    const { log, state, lines } = failing();
    for (const tenant of ['acme', 'globex', 'acme']) await log.append(draft('lost', tenant));
    state.now += 60_000;
    state.full = false;
    await log.append(draft('kept', 'acme'));
    await turns();
    const notes = lines
      .map((line) => JSON.parse(line) as { tenant: string; data: EventData<'portcullis.admin.v1'> })
      .filter(({ data }) => data.action === 'events.lost');
    const when = 'between 2026-01-01T00:00:00.000Z and 2026-01-01T00:01:00.000Z';
    expect(notes.map(({ tenant, data: { actor, reason } }) => [tenant, actor, reason])).toEqual([
      ['acme', 'mcp-server', `2 events ${when}`],
      ['globex', 'mcp-server', `1 events ${when}`],
    ]);
    expect(() => chainOf(lines)).not.toThrow();
  });

  it('are not forgotten when that record is lost, too', async () => {
    const { log, state, lines } = failing();
    await log.append(draft());
    state.full = false;
    const kept = log.append(draft());
    // full again, before the record is written
    await Promise.resolve();
    state.full = true;
    await kept;
    await turns();
    expect(lines.join('')).not.toContain('events.lost');
    state.full = false;
    await log.append(draft());
    await turns();
    expect(lines.filter((line) => line.includes('events.lost'))).toHaveLength(1);
  });

  it('are never those of a bug: what is no event is refused as ever', async () => {
    const { log, state } = failing();
    state.full = false;
    await expect(log.append(draft('x'.repeat(200)))).rejects.toMatchObject({ code: 'internal' });
    state.full = true;
    await expect(log.append(draft('x'.repeat(200)))).rejects.toMatchObject({ code: 'internal' });
    expect(log.stats().lost).toBe(0);
  });
});
