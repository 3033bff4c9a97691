import { afterAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
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
} from './outbox.fixture.js';
import { openSpool, OutboxDamaged } from './open-spool.file.js';
import { nodeDisk, type Disk } from './spool.file.js';

/** Nothing here waits for a disk. */
const quick: Disk = { ...nodeDisk, fdatasync: async () => {}, fdatasyncSync: () => {} };
const SEGMENT = 1 << 20;

/** What a process left that wrote batches of one, two and three events and was killed. */
async function leftBehind(segmentBytes = SEGMENT): Promise<string> {
  const dir = temporaryDirectory();
  const log = await openTestOutbox(dir, notingBus('refuses'), { disk: quick, segmentBytes });
  for (const batch of [['m1'], ['m2', 'm3'], ['m4', 'm5', 'm6']]) {
    await Promise.all(batch.map((method) => log.append(draft(method))));
  }
  const copy = asKilled(dir);
  await log.close();
  return copy;
}

afterAll(removeTemporaryDirectories);

describe('a byte that was changed in a spool', () => {
  it.each([
    ['a bit of it', (byte: number, at: number) => byte ^ (1 << (at % 8))],
    ['for a line end', () => 0x0a],
    ['for a letter', () => 0x61],
  ])(
    'is found at opening wherever it is, nothing changed is kept, and what is lost is said: %s',
    async (_, change) => {
      const dir = await leftBehind();
      const [path = ''] = segmentsIn(dir);
      const bytes = readFileSync(path);
      const before = linesIn(dir);
      for (const at of places(bytes)) {
        const changed = Buffer.from(bytes);
        changed[at] = change(bytes[at]!, at);
        if (changed.equals(bytes)) continue;
        writeFileSync(path, changed);
        const { lost, putAside, head } = openSpool(dir, undefined, SEGMENT, quick);
        const kept = linesIn(dir);
        expect([at, kept]).toEqual([at, before.slice(0, kept.length)]);
        expect([at, lost, putAside !== undefined, head?.seq ?? 0]).toEqual([
          at,
          before.length - kept.length,
          true,
          kept.length,
        ]);
        // no more than the event itself and the one before it are doubted
        const untouched = before.filter((line) => bytes.indexOf(line) + Buffer.byteLength(line) < at).length;
        expect(kept.length).toBeGreaterThanOrEqual(untouched - 1);
      }
    },
    60_000,
  );

  it('in a segment that others follow is refused, and where it is, is said', async () => {
    const dir = await leftBehind(100);
    const [first = '', second] = segmentsIn(dir);
    expect(second).toBeDefined();
    const bytes = readFileSync(first);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x01;
      writeFileSync(first, changed);
      expect(() => openSpool(dir, undefined, SEGMENT, quick)).toThrow(OutboxDamaged);
      expect(() => openSpool(dir, undefined, SEGMENT, quick)).toThrow(/event [12] is the first that is not certain/);
    }
  });

  it('is no loss when the event was handed on before', async () => {
    const dir = temporaryDirectory();
    const bus = notingBus();
    const log = await openTestOutbox(dir, bus, { disk: quick });
    for (const method of ['m1', 'm2']) await log.append(draft(method));
    await log.close();
    const copy = asKilled(dir);
    const [path = ''] = segmentsIn(copy);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"m2"', '"m_"'));
    const again = await openTestOutbox(copy, bus, { disk: quick });
    expect(again.stats().lost).toBe(0);
    await again.append(draft('m3'));
    await again.close();
    expect(chainOf(bus.taken.map(({ value }) => value))).toEqual(['m1', 'm2', 'm3']);
  });
});

/** Each byte near the beginning or the end of a line, and some of the others. */
const places = (bytes: Buffer): number[] =>
  [...bytes.keys()].filter((at) => at % 7 === 0 || bytes.subarray(Math.max(0, at - 70), at + 30).includes(0x0a));
