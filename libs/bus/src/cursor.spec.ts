import { afterAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCursor } from './cursor.file.js';
import { newChain, type ChainHead } from './outbox.js';
import { removeTemporaryDirectories, temporaryDirectory } from './outbox.fixture.js';

const head = (seq: number): ChainHead => ({
  ...newChain('mcp-server', '019b7d5e-0000-7000-8000-000000000001'),
  seq,
  prev: String(seq).padStart(64, '0'),
});
const fileIn = (dir: string): string => join(dir, 'cursor.json');

afterAll(removeTemporaryDirectories);

describe('the cursor of a spool', () => {
  it('is the last one that was saved, and none before', async () => {
    const dir = temporaryDirectory();
    expect(openCursor(dir).last).toBeUndefined();
    for (const seq of [1, 2, 30, 31]) {
      await openCursor(dir).save(head(seq));
      expect(openCursor(dir).last).toEqual(head(seq));
    }
    const cursor = openCursor(dir);
    for (const seq of [32, 33, 34]) await cursor.save(head(seq));
    expect(openCursor(dir).last).toEqual(head(34));
  });

  it('never needs more room than it has from the start, so that a full disk can be emptied', async () => {
    const dir = temporaryDirectory();
    const cursor = openCursor(dir);
    const { ino, size } = statSync(fileIn(dir));
    for (const seq of [9, 10, 99, 100, 1_000_000_000]) {
      await cursor.save(head(seq));
      expect([statSync(fileIn(dir)).ino, statSync(fileIn(dir)).size]).toEqual([ino, size]);
      expect(readdirSync(dir)).toEqual(['cursor.json']);
    }
  });

  it('is the one before when its writing was cut off', async () => {
    const dir = temporaryDirectory();
    const cursor = openCursor(dir);
    await cursor.save(head(1));
    const before = readFileSync(fileIn(dir));
    await cursor.save(head(2));
    const after = readFileSync(fileIn(dir));
    const from = before.findIndex((byte, i) => byte !== after[i]);
    const until = after.findLastIndex((byte, i) => byte !== before[i]) + 1;
    expect(until - from).toBeLessThanOrEqual(512);
    for (let at = from; at <= until; at += 1) {
      writeFileSync(fileIn(dir), Buffer.concat([after.subarray(0, at), before.subarray(at)]));
      expect(openCursor(dir).last).toEqual(head(at < until ? 1 : 2));
    }
  });

  it('is never ahead, whatever byte was changed', async () => {
    const dir = temporaryDirectory();
    for (const seq of [1, 2]) await openCursor(dir).save(head(seq));
    const bytes = readFileSync(fileIn(dir));
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bits of [0x01, 0x02, 0x08, 0x80]) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= bits;
        writeFileSync(fileIn(dir), changed);
        expect([head(2), head(1), undefined]).toContainEqual(openCursor(dir).last);
      }
    }
  });

  it('is read as older versions wrote it, and goes on from there', async () => {
    const dir = temporaryDirectory();
    writeFileSync(fileIn(dir), JSON.stringify(head(7)));
    expect(openCursor(dir).last).toEqual(head(7));
    const cursor = openCursor(dir);
    expect(cursor.last).toEqual(head(7));
    await cursor.save(head(8));
    expect(openCursor(dir).last).toEqual(head(8));
  });

  it.each(['', '{"source"', 'null', '\0'.repeat(1024)])('is none when the file holds %j', (text) => {
    const dir = temporaryDirectory();
    writeFileSync(fileIn(dir), text);
    expect(openCursor(dir).last).toBeUndefined();
  });

  it('is saved all the same where its file was cut short', async () => {
    const dir = temporaryDirectory();
    await openCursor(dir).save(head(1));
    truncateSync(fileIn(dir), 100);
    await openCursor(dir).save(head(2));
    expect(openCursor(dir).last).toEqual(head(2));
  });
});
