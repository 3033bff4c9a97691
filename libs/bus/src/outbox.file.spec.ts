import { silentLog } from '@portcullis/contract/log';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '@portcullis/audit-schemas/envelope';
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCursor } from './cursor.file.js';
import { eventKey, type EventLog } from './outbox.js';
import { nodeDisk, type Disk } from './spool.file.js';
import {
  asKilled,
  chainOf,
  draft,
  linesIn,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  segmentsIn,
  temporaryDirectory,
  until,
} from './outbox.fixture.js';

const valuesOf = (bus: ReturnType<typeof notingBus>): string[] => bus.taken.map(({ value }) => value);
const names = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`);
const appendAll = (log: EventLog, methods: readonly string[]): Promise<AuditEvent[]> =>
  Promise.all(methods.map((method) => log.append(draft(method))));

const opened: EventLog[] = [];
const open: typeof openTestOutbox = async (...args) => {
  const log = await openTestOutbox(...args);
  opened.push(log);
  return log;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((log) => log.close()));
});

afterAll(removeTemporaryDirectories);

describe('the outbox', () => {
  it('answers with the event once it is in the spool', async () => {
    const dir = temporaryDirectory();
    const log = await open(dir, notingBus('refuses'));
    const event = await log.append(draft('tools/list'));
    expect(event).toMatchObject({ seq: 1, type: 'portcullis.call.v1', data: { method: 'tools/list' } });
    expect(linesIn(dir).map((line) => JSON.parse(line))).toEqual([event]);
  });

  it('writes all appends of one turn at once', async () => {
    let writes = 0;
    const disk: Disk = {
      ...nodeDisk,
      writeSync: (...args) => {
        writes += 1;
        return nodeDisk.writeSync(...args);
      },
    };
    const log = await open(temporaryDirectory(), notingBus(), { disk });
    await appendAll(log, names(1, 200));
    expect(writes).toBe(1);
  });

  it('ships in the order of the numbers, by tenant and principal, across segments', async () => {
    const bus = notingBus();
    const log = await open(temporaryDirectory(), bus, { segmentBytes: 2000 });
    for (let i = 1; i <= 100; i += 5) await appendAll(log, names(i, i + 4));
    await until(() => log.stats().pending === 0);
    expect(bus.taken.map(({ value }) => JSON.parse(value).seq)).toEqual(names(1, 100).map((_, i) => i + 1));
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 100));
    expect(new Set(bus.taken.map(({ key }) => key))).toEqual(new Set(['default/agt_aaaaaaaaaaaaaaaaaaaaaaaaaa']));
  });

  it('ships until the bus takes it, and nothing is lost or out of order', async () => {
    const bus = notingBus('refuses');
    const log = await open(temporaryDirectory(), bus);
    await appendAll(log, names(1, 3));
    await until(() => bus.tries >= 3);
    expect(log.stats()).toMatchObject({ spooled: 3, pending: 3 });
    bus.mode = 'takes';
    await appendAll(log, names(4, 5));
    await until(() => log.stats().pending === 0);
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 5));
  });

  it('complains about a bus that refuses, but not at every try', async () => {
    const complaints: string[] = [];
    const bus = notingBus('refuses');
    const log = await open(temporaryDirectory(), bus, {
      log: { ...silentLog, warn: (says) => void complaints.push(says) },
    });
    await log.append(draft());
    await until(() => bus.tries >= 4);
    expect(complaints).toEqual(['events cannot be handed on now; they wait in the spool']);
  });

  it('deletes segments that were shipped', async () => {
    const dir = temporaryDirectory();
    const log = await open(dir, notingBus(), { segmentBytes: 1000 });
    for (const method of names(1, 20)) await log.append(draft(method));
    await until(() => log.stats().pending === 0 && segmentsIn(dir).length === 1);
    expect(linesIn(dir).length).toBeLessThan(4);
  });

  it('keeps its files to itself', async () => {
    const dir = join(temporaryDirectory(), 'a', 'b');
    const log = await open(dir, notingBus());
    await log.append(draft());
    await log.close();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const path of [...segmentsIn(dir), join(dir, 'cursor.json'), join(dir, 'lock')]) {
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
  });

  it('refuses a draft that is no event, and the chain knows nothing of it', async () => {
    const bus = notingBus();
    const log = await open(temporaryDirectory(), bus);
    const [first, bad, second] = await Promise.allSettled([
      log.append(draft('m1')),
      log.append(draft('x'.repeat(200))),
      log.append(draft('m2')),
    ]);
    expect([first.status, bad.status, second.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(bad).toMatchObject({ reason: { code: 'internal' } });
    await log.close();
    expect(chainOf(valuesOf(bus))).toEqual(['m1', 'm2']);
  });

  it('refuses appends when the spool is full, and takes them again when it was shipped', async () => {
    const bus = notingBus('refuses');
    const log = await open(temporaryDirectory(), bus, { maxBytes: 4000, segmentBytes: 1000 });
    const outcomes = await Promise.allSettled(names(1, 20).map((method) => log.append(draft(method))));
    const kept = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(kept).toBeGreaterThan(3);
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'overloaded', facts: { retryAfterMs: 1000 } } });
    await expect(log.append(draft())).rejects.toMatchObject({ code: 'overloaded' });
    expect(log.stats()).toMatchObject({ failing: true });
    bus.mode = 'takes';
    await until(() => log.stats().pending === 0);
    expect(log.stats()).toMatchObject({ failing: false });
    await log.append(draft('after'));
    await log.close();
    expect(chainOf(valuesOf(bus))).toEqual([...names(1, kept), 'after']);
  });

  it('ships in order what it remembers and what it has to read back, each event once', async () => {
    const bus = notingBus('refuses');
    const log = await open(temporaryDirectory(), bus, { segmentBytes: 3 * 1024 * 1024 });
    const methods = names(1, 14_000).map((name) => `${name}-é`);
    // small batches, and some of more than one read takes
    for (let from = 0, batch = 1; from < methods.length; from += batch, batch = (batch * 7) % 1201) {
      await appendAll(log, methods.slice(from, from + batch));
    }
    bus.mode = 'takes';
    await until(() => log.stats().pending === 0);
    await appendAll(log, ['after']);
    await log.close();
    expect(valuesOf(bus)).toHaveLength(methods.length + 1);
    expect(chainOf(valuesOf(bus))).toEqual([...methods, 'after']);
    for (const { key, value } of bus.taken) expect(key).toBe(eventKey(JSON.parse(value)));
  });

  it.each(['mcp server', 'Mcp', '../x', ''])('refuses "%s" as a name of a service', async (service) => {
    await expect(open(temporaryDirectory(), notingBus(), { service })).rejects.toThrow('no name for a service');
  });
});

describe('closing', () => {
  it('writes and ships what waits, and saves how far it came', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const log = await open(dir, bus);
    const appended = appendAll(log, names(1, 3));
    await log.close();
    expect(await appended).toHaveLength(3);
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 3));
    expect(openCursor(dir).last).toMatchObject({ seq: 3 });
  });

  it('refuses what is appended later', async () => {
    const log = await open(temporaryDirectory(), notingBus());
    const closed = log.close();
    await expect(log.append(draft())).rejects.toMatchObject({ code: 'overloaded' });
    await closed;
    await expect(log.append(draft())).rejects.toMatchObject({ code: 'overloaded' });
  });

  it('does not wait for a bus that refuses, and ships after the next start', async () => {
    const dir = temporaryDirectory();
    const log = await open(dir, notingBus('refuses'));
    await appendAll(log, names(1, 3));
    await log.close();
    const bus = notingBus();
    await open(dir, bus);
    await until(() => bus.taken.length === 3);
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 3));
  });

  it('does not wait for ever for a bus that hangs', async () => {
    const dir = temporaryDirectory();
    const log = await open(dir, notingBus('hangs'));
    await appendAll(log, names(1, 3));
    await log.close();
    expect(linesIn(dir)).toHaveLength(3);
  });

  it('can be done twice', async () => {
    const log = await open(temporaryDirectory(), notingBus());
    await Promise.all([log.close(), log.close()]);
  });
});

describe('a restart', () => {
  it('goes on with source, number and hash, so that the chain has no gap', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    for (let i = 0; i < 4; i += 1) {
      const log = await open(dir, bus, { segmentBytes: 1500 });
      await appendAll(log, names(i * 5 + 1, i * 5 + 5));
      await log.close();
    }
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 20));
  });

  it('ships nothing again that was shipped before a clean stop', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    for (let i = 0; i < 3; i += 1) {
      const log = await open(dir, bus);
      await log.append(draft(`m${i}`));
      await log.close();
    }
    expect(bus.taken).toHaveLength(3);
  });

  it('begins a chain of its own in another directory', async () => {
    const [a, b] = [
      await open(temporaryDirectory(), notingBus()),
      await open(temporaryDirectory(), notingBus(), { newId: () => '019b7d5e-0000-7000-8000-00000000000b' }),
    ];
    expect((await a.append(draft())).source).not.toBe((await b.append(draft())).source);
  });

  it('after a kill goes on behind the last event in the spool', async () => {
    const dir = temporaryDirectory();
    await appendAll(await open(dir, notingBus('refuses')), names(1, 3));
    const bus = notingBus();
    const log = await open(asKilled(dir), bus);
    await log.append(draft('m4'));
    await until(() => log.stats().pending === 0);
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 4));
  });

  it('mends a line that a kill cut off, and puts the torn bytes aside', async () => {
    const dir = temporaryDirectory();
    await appendAll(await open(dir, notingBus('refuses')), names(1, 3));
    const copy = asKilled(dir);
    const [segment = ''] = segmentsIn(copy);
    const torn = '{"specversion":"1.0","id":"019b';
    appendFileSync(segment, torn);
    const warnings: unknown[] = [];
    const bus = notingBus();
    const log = await open(copy, bus, { log: { ...silentLog, warn: (...args) => void warnings.push(args) } });
    await log.append(draft('m4'));
    await log.close();
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 4));
    expect(log.stats().lost).toBe(0);
    expect(readFileSync(`${segment}.damaged`, 'utf8')).toBe(torn);
    expect(warnings).toHaveLength(1);
  });

  it('puts an event that was changed aside with what comes after it, and counts them as lost', async () => {
    const dir = temporaryDirectory();
    await appendAll(await open(dir, notingBus('refuses')), names(1, 5));
    const copy = asKilled(dir);
    const [segment = ''] = segmentsIn(copy);
    const text = readFileSync(segment, 'utf8');
    writeFileSync(segment, text.replace('"m4"', '"m_"'));
    const bus = notingBus();
    const log = await open(copy, bus);
    await log.append(draft('new'));
    await log.close();
    // the changed event itself is well formed; the one after it gives it away
    expect(log.stats().lost).toBe(2);
    expect(chainOf(valuesOf(bus))).toEqual(['m1', 'm2', 'm3', 'new']);
  });

  it('refuses a spool that is damaged before its last segment', async () => {
    const dir = temporaryDirectory();
    const log = await open(dir, notingBus('refuses'), { segmentBytes: 1000 });
    for (const method of names(1, 10)) await log.append(draft(method));
    const copy = asKilled(dir);
    truncateSync(segmentsIn(copy)[1] ?? '', 100);
    await expect(open(copy, notingBus())).rejects.toThrow(/damaged at byte 0, before later events/);
  });

  it('refuses a spool of which a segment is gone', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const log = await open(dir, bus, { segmentBytes: 1000 });
    await log.append(draft());
    await until(() => log.stats().pending === 0);
    bus.mode = 'refuses';
    for (const method of names(1, 10)) await log.append(draft(method));
    await log.close();
    const copy = asKilled(dir);
    for (const path of segmentsIn(copy).slice(0, 2)) unlinkSync(path);
    await expect(open(copy, notingBus())).rejects.toThrow(/its segment is gone/);
  });

  it('refuses the directory of another service', async () => {
    const dir = temporaryDirectory();
    const log = await open(dir, notingBus());
    await log.append(draft());
    await log.close();
    await expect(open(dir, notingBus(), { service: 'auth-server' })).rejects.toThrow('not of auth-server');
  });

  it('without its cursor ships what lies there again, and the chain goes on', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const log = await open(dir, bus);
    await appendAll(log, names(1, 3));
    await log.close();
    writeFileSync(join(dir, 'cursor.json'), '{"source"');
    const again = await open(dir, bus);
    expect(again.stats().pending).toBe(3);
    await again.append(draft('m4'));
    await again.close();
    expect(bus.taken).toHaveLength(7);
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 4));
  });

  it('goes on behind the cursor when the disk forgot events that were shipped', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const log = await open(dir, bus);
    await appendAll(log, names(1, 3));
    await log.close();
    const copy = asKilled(dir);
    truncateSync(segmentsIn(copy)[0] ?? '', 10);
    const again = await open(copy, bus);
    await again.append(draft('m4'));
    await again.close();
    const third = await open(copy, bus);
    await third.append(draft('m5'));
    await third.close();
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 5));
  });

  it('goes on behind the cursor when everything was shipped and deleted', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const log = await open(dir, bus);
    await appendAll(log, names(1, 3));
    await log.close();
    for (const path of segmentsIn(dir)) rmSync(path);
    const again = await open(dir, bus);
    expect(await again.append(draft('m4'))).toMatchObject({ seq: 4 });
    await again.close();
    expect(chainOf(valuesOf(bus))).toEqual(names(1, 4));
  });
});

describe('two outboxes on one directory', () => {
  it('are refused, since they would fork the chain', async () => {
    const dir = temporaryDirectory();
    const log = await open(dir, notingBus());
    await expect(open(dir, notingBus())).rejects.toMatchObject({ name: 'OutboxInUse', directory: dir });
    await expect(open(dir, notingBus())).rejects.toThrow(dir);
    await log.close();
    await expect(open(dir, notingBus())).resolves.toBeDefined();
  });

  it('are free again after an opening that failed', async () => {
    const dir = temporaryDirectory();
    await (await open(dir, notingBus())).append(draft());
    await opened.at(-1)?.close();
    await expect(open(dir, notingBus(), { service: 'auth-server' })).rejects.toThrow();
    await expect(open(dir, notingBus())).resolves.toBeDefined();
  });
});
