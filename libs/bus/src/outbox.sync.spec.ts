import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { EventLog } from './outbox.js';
import type { OutboxSync } from './outbox.file.js';
import {
  draft,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  temporaryDirectory,
  until,
} from './outbox.fixture.js';
import { nodeDisk, type Disk } from './spool.file.js';

/** A disk whose flushes end when told to. */
function slowDisk() {
  const flushes: (() => void)[] = [];
  const disk: Disk = { ...nodeDisk, fdatasync: () => new Promise((resolve) => flushes.push(resolve)) };
  return { flushes, disk };
}

let log: EventLog;
let end: (() => void) | undefined;
const opened = async (sync?: OutboxSync) => {
  const { flushes, disk } = slowDisk();
  log = await openTestOutbox(temporaryDirectory(), notingBus(), { disk, ...(sync && { sync }) });
  const answered: string[] = [];
  const append = (method: string, synced?: boolean): void =>
    void log
      .append(draft(method), synced === undefined ? undefined : { synced })
      .then(({ data }) => answered.push((data as { method: string }).method));
  let over = false;
  end = () => void (over = true);
  const letGo = async (): Promise<void> => {
    while (!over) await until(() => over || flushes.length > 0).then(() => flushes.splice(0).forEach((done) => done()));
  };
  return { flushes, answered, append, letGo };
};
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
};

afterEach(async () => {
  await log.close();
  end?.();
});
afterAll(removeTemporaryDirectories);

describe('an answer waits for the disk', () => {
  it('when what it tells of outlasts the call, and not when it does not', async () => {
    const { flushes, answered, append, letGo } = await opened();
    append('read');
    append('write', true);
    append('read too', false);
    await turns();
    expect(answered).toEqual(['read', 'read too']);
    expect(flushes).toHaveLength(1);
    flushes.splice(0).forEach((done) => done());
    await turns();
    expect(answered).toEqual(['read', 'read too', 'write']);
    void letGo();
  });

  it('for one flush with all others of its turn, and for a later one than that which was under way', async () => {
    const { flushes, answered, append, letGo } = await opened();
    append('a', true);
    append('b', true);
    await turns();
    append('c', true);
    await turns();
    expect(flushes).toHaveLength(1);
    flushes.splice(0).forEach((done) => done());
    await turns();
    expect(answered).toEqual(['a', 'b']);
    expect(flushes).toHaveLength(1);
    flushes.splice(0).forEach((done) => done());
    await turns();
    expect(answered).toEqual(['a', 'b', 'c']);
    void letGo();
  });

  it('always, where that is the setting', async () => {
    const { answered, append, letGo } = await opened('all');
    append('read');
    append('write', true);
    await turns();
    expect(answered).toEqual([]);
    void letGo();
    await until(() => answered.length === 2);
  });

  it('never, where that is the setting, and the disk has the events soon all the same', async () => {
    const { flushes, answered, append, letGo } = await opened('none');
    append('write', true);
    await turns();
    expect(answered).toEqual(['write']);
    expect(flushes).toHaveLength(1);
    void letGo();
  });

  it('until the outbox is closed, which gives every answer its flush', async () => {
    const { answered, append, letGo } = await opened();
    append('write', true);
    void letGo();
    await log.close();
    expect(answered).toEqual(['write']);
  });
});
