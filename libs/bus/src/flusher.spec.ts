import { describe, expect, it } from '@jest/globals';
import { startFlusher } from './flusher.file.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A disk whose syncs end when told to. */
function slowDisk() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const sync = (): Promise<void> => {
    const next = Promise.withResolvers<void>();
    syncs.push(next);
    return next.promise;
  };
  const ended: string[] = [];
  const noted = (name: string, promise: Promise<void>): void =>
    void promise.then(
      () => ended.push(name),
      () => ended.push(`${name} failed`),
    );
  return { syncs, sync, ended, noted };
}

describe('who waits for a sync', () => {
  it('has one at once', async () => {
    const { syncs, sync, ended, noted } = slowDisk();
    const flusher = startFlusher(sync);
    noted('a', flusher.now());
    expect(syncs).toHaveLength(1);
    syncs[0]?.resolve();
    await turn();
    expect(ended).toEqual(['a']);
  });

  it('and came while one was under way, has the next, and shares it with the others who came then', async () => {
    const { syncs, sync, ended, noted } = slowDisk();
    const flusher = startFlusher(sync);
    noted('a', flusher.now());
    noted('b', flusher.now());
    noted('c', flusher.now());
    expect(syncs).toHaveLength(1);
    syncs[0]?.resolve();
    await turn();
    expect(ended).toEqual(['a']);
    expect(syncs).toHaveLength(2);
    noted('d', flusher.now());
    syncs[1]?.resolve();
    await turn();
    expect(ended).toEqual(['a', 'b', 'c']);
    syncs[2]?.resolve();
    await turn();
    expect(ended).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not wait for the rest between syncs that nobody waits for', async () => {
    const { syncs, sync } = slowDisk();
    const flusher = startFlusher(sync);
    flusher.soon();
    syncs[0]?.resolve();
    await turn();
    flusher.soon();
    expect(syncs).toHaveLength(1);
    void flusher.now();
    expect(syncs).toHaveLength(2);
    syncs[1]?.resolve();
  });

  it('hears when it failed, and the next one is tried all the same', async () => {
    const { syncs, sync, ended, noted } = slowDisk();
    const flusher = startFlusher(sync);
    noted('a', flusher.now());
    noted('b', flusher.now());
    syncs[0]?.reject(new Error('i/o error'));
    await turn();
    syncs[1]?.resolve();
    await turn();
    expect(ended).toEqual(['a failed', 'b']);
  });
});

describe('a sync that nobody waits for', () => {
  it('comes after the rest, once for all that was written meanwhile', async () => {
    const { syncs, sync } = slowDisk();
    const flusher = startFlusher(sync);
    flusher.soon();
    syncs[0]?.resolve();
    await turn();
    flusher.soon();
    flusher.soon();
    while (syncs.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    syncs[1]?.resolve();
    await flusherEnd(flusher, syncs);
    expect(syncs).toHaveLength(3);
  });

  it('comes also for what was written while one was under way', async () => {
    const { syncs, sync } = slowDisk();
    const flusher = startFlusher(sync);
    flusher.soon();
    flusher.soon();
    syncs[0]?.resolve();
    while (syncs.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    syncs[1]?.resolve();
    await flusherEnd(flusher, syncs);
  });
});

/** Stopping syncs once more. */
async function flusherEnd(flusher: ReturnType<typeof startFlusher>, syncs: PromiseWithResolvers<void>[]) {
  await turn();
  const stopped = flusher.stop();
  syncs.at(-1)?.resolve();
  await stopped;
}
