import { silentLog } from '@portcullis/contract/log';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { EventLog } from './outbox.js';
import {
  asKilled,
  chainOf,
  draft,
  linesIn,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  temporaryDirectory,
  until,
} from './outbox.fixture.js';
import { nodeDisk, type Disk } from './spool.file.js';

const noSpace = (): never => {
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
};

/** A disk on which calls fail while they are told to. `room` is how many bytes a failing write still puts there. */
function badDisk() {
  const fails = { write: false, truncate: false, flush: false, room: 0, writes: 0 };
  const disk: Disk = {
    ...nodeDisk,
    writeSync(fd, bytes, offset, length, position) {
      fails.writes += 1;
      if (!fails.write) return nodeDisk.writeSync(fd, bytes, offset, length, position);
      if (fails.room === 0) return noSpace();
      const some = Math.min(fails.room, length);
      fails.room -= some;
      return nodeDisk.writeSync(fd, bytes, offset, some, position);
    },
    ftruncateSync: (fd, length) => (fails.truncate ? noSpace() : nodeDisk.ftruncateSync(fd, length)),
    fdatasync: (fd) => (fails.flush ? Promise.reject(new Error('EIO: i/o error, fdatasync')) : nodeDisk.fdatasync(fd)),
  };
  return { fails, disk };
}

const statuses = (outcomes: readonly PromiseSettledResult<unknown>[]): Set<string> =>
  new Set(outcomes.map(({ status }) => status));
const appendAll = (log: EventLog, methods: readonly string[]) =>
  Promise.allSettled(methods.map((method) => log.append(draft(method))));

let log: EventLog;
afterEach(() => log.close());

afterAll(removeTemporaryDirectories);

describe('a disk that cannot be written to', () => {
  // a batch of three of these events has about 1300 bytes: nothing, part of a line, one line and part of the next, two
  it.each([0, 100, 600, 1000])(
    'with room for %i bytes refuses every append of the turn, and the chain has no gap and no ghost',
    async (room) => {
      const dir = temporaryDirectory();
      const bus = notingBus();
      const { fails, disk } = badDisk();
      log = await openTestOutbox(dir, bus, { disk });
      await log.append(draft('m1'));
      Object.assign(fails, { write: true, room });
      const refused = await appendAll(log, ['x', 'y', 'z']);
      expect(statuses(refused)).toEqual(new Set(['rejected']));
      expect(refused[0]).toMatchObject({ reason: { code: 'overloaded', facts: { retryAfterMs: 1000 } } });
      expect(linesIn(dir)).toHaveLength(1);
      expect(log.stats()).toMatchObject({ spooled: 1, failing: true });
      fails.write = false;
      expect(statuses(await appendAll(log, ['m2', 'm3']))).toEqual(new Set(['fulfilled']));
      expect(log.stats()).toMatchObject({ spooled: 3, failing: false });
      await log.close();
      expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2', 'm3']);
    },
  );

  it('that cannot be cut back either takes nothing more until it can', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const { fails, disk } = badDisk();
    log = await openTestOutbox(dir, bus, { disk });
    await log.append(draft('m1'));
    Object.assign(fails, { write: true, truncate: true, room: 1000 });
    expect(statuses(await appendAll(log, ['x', 'y', 'z']))).toEqual(new Set(['rejected']));
    fails.write = false;
    const writes = fails.writes;
    expect(statuses(await appendAll(log, ['x']))).toEqual(new Set(['rejected']));
    expect(fails.writes).toBe(writes);
    fails.truncate = false;
    await log.append(draft('m2'));
    await log.close();
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2']);
  });

  it('is tried now and then, so that nobody has to call to find out that it works again', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const { fails, disk } = badDisk();
    log = await openTestOutbox(dir, bus, { disk });
    await log.append(draft('m1'));
    Object.assign(fails, { write: true, room: 100 });
    await appendAll(log, ['x']);
    expect(log.stats()).toMatchObject({ failing: true });
    const writes = fails.writes;
    await until(() => fails.writes > writes);
    expect(log.stats()).toMatchObject({ failing: true });
    fails.write = false;
    await until(() => log.stats().failing === false);
    // nothing of the trying is left
    expect(linesIn(dir)).toHaveLength(1);
    await log.append(draft('m2'));
    await log.close();
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2']);
  });

  it('puts short writes together', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const disk: Disk = {
      ...nodeDisk,
      writeSync: (fd, bytes, offset, length, position) =>
        nodeDisk.writeSync(fd, bytes, offset, Math.min(7, length), position),
    };
    log = await openTestOutbox(dir, bus, { disk });
    expect(statuses(await appendAll(log, ['m1', 'm2']))).toEqual(new Set(['fulfilled']));
    await log.close();
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2']);
  });

  it('at the end of a full segment leaves nothing between the segments', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus('refuses');
    const { fails, disk } = badDisk();
    const options = { disk, segmentBytes: 1000 };
    log = await openTestOutbox(dir, bus, options);
    await appendAll(log, ['m1', 'm2']);
    Object.assign(fails, { write: true, truncate: true, room: 500 });
    expect(statuses(await appendAll(log, ['x', 'y']))).toEqual(new Set(['rejected']));
    Object.assign(fails, { write: false, truncate: false });
    for (const method of ['m3', 'm4', 'm5', 'm6']) await log.append(draft(method));
    const after = notingBus();
    const again = await openTestOutbox(asKilled(dir), after, options);
    await again.close();
    expect(again.stats().lost).toBe(0);
    expect(chainOf(after.taken.map(({ value }) => value))).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6']);
  });
});

describe('a disk that is slow to flush', () => {
  it('ships what a flush has covered, and not what was written while it was under way', async () => {
    const bus = notingBus();
    const flushes: (() => void)[] = [];
    const disk: Disk = { ...nodeDisk, fdatasync: () => new Promise((resolve) => flushes.push(resolve)) };
    log = await openTestOutbox(temporaryDirectory(), bus, { disk });
    await log.append(draft('m1'));
    await log.append(draft('m2'));
    expect(bus.taken).toEqual([]);
    flushes.shift()?.();
    await until(() => bus.taken.length > 0);
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1']);
    await until(() => flushes.length > 0);
    flushes.shift()?.();
    await until(() => log.stats().pending === 0);
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2']);
    const closed = log.close();
    await until(() => flushes.length > 0);
    flushes.shift()?.();
    await closed;
  });
});

describe('a disk that cannot be flushed', () => {
  it('and can be again, gets once more what it may have lost, and all is well by itself', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const { fails, disk } = badDisk();
    const written: number[] = [];
    const noting: Disk = {
      ...disk,
      writeSync: (fd, bytes, offset, length, position) => {
        written.push(position);
        return disk.writeSync(fd, bytes, offset, length, position);
      },
    };
    log = await openTestOutbox(dir, bus, { disk: noting });
    await log.append(draft('m1'), { synced: true });
    await until(() => bus.taken.length === 1);
    fails.flush = true;
    const [, synced] = await Promise.allSettled([log.append(draft('m2')), log.append(draft('m3'), { synced: true })]);
    expect(synced).toMatchObject({ reason: { code: 'overloaded' } });
    const place = written.at(-1);
    const before = linesIn(dir);
    await expect(log.append(draft('x'))).rejects.toMatchObject({ code: 'overloaded' });
    const tries = written.length;
    await until(() => written.length >= tries + 4);
    expect(log.stats()).toMatchObject({ failing: true });
    fails.flush = false;
    await until(() => log.stats().failing === false);
    expect(written.at(-1)).toBe(place);
    expect(linesIn(dir)).toEqual(before);
    await log.append(draft('m4'), { synced: true });
    await log.close();
    // m3 was refused, and is on record all the same: nobody can say that the disk does not have it
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2', 'm3', 'm4']);
  }, 20_000);

  it('refuses what had to be on it, and answers what had not', async () => {
    const { fails, disk } = badDisk();
    log = await openTestOutbox(temporaryDirectory(), notingBus(), { disk });
    fails.flush = true;
    const outcomes = await Promise.allSettled([log.append(draft('m1')), log.append(draft('m2'), { synced: true })]);
    expect(outcomes[0]).toMatchObject({ status: 'fulfilled' });
    expect(outcomes[1]).toMatchObject({ reason: { code: 'overloaded', facts: { retryAfterMs: 1000 } } });
    expect(log.stats()).toMatchObject({ failing: true });
  });

  it('ships nothing that may be lost, and refuses appends', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const { fails, disk } = badDisk();
    const warnings: string[] = [];
    log = await openTestOutbox(dir, bus, { disk, log: { ...silentLog, warn: (says) => void warnings.push(says) } });
    fails.flush = true;
    await log.append(draft('m1'));
    await until(() => warnings.length > 0);
    fails.flush = false;
    await expect(log.append(draft('x'))).rejects.toMatchObject({ code: 'overloaded' });
    await expect(log.append(draft('x'))).rejects.toMatchObject({ code: 'overloaded' });
    await log.close();
    expect(bus.taken).toEqual([]);
    log = await openTestOutbox(dir, bus);
    await log.append(draft('m2'));
    await log.close();
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2']);
  });
});
