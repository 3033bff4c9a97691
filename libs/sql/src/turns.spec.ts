import { describe, expect, it } from '@jest/globals';
import { turns, TurnTooLong } from './turns.js';

/** Turns with an alarm that rings when it is told to. */
function underTest() {
  const alarms = Object.assign(new Set<() => void>(), { set: 0 });
  const queue = turns(1000, 'too long', (_, then) => {
    alarms.set += 1;
    alarms.add(then);
    return () => alarms.delete(then);
  });
  const ring = (): void => {
    for (const then of alarms) {
      alarms.delete(then);
      then();
    }
  };
  return { queue, ring, alarms };
}

describe('turns', () => {
  it('are had by one at a time, in the order asked', async () => {
    const { queue } = underTest();
    const order: number[] = [];
    let inside = 0;
    await Promise.all(
      [1, 2, 3, 4].map(async (n) => {
        await queue.take();
        expect((inside += 1)).toBe(1);
        await new Promise(setImmediate);
        order.push(n);
        inside -= 1;
        queue.giveBack();
      }),
    );
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('end the wait of everyone when one is kept too long', async () => {
    const { queue, ring } = underTest();
    await queue.take();
    const waiting = [queue.take(), queue.take()];
    ring();
    for (const wait of waiting) await expect(wait).rejects.toThrow(TurnTooLong);
    queue.giveBack();
    await expect(queue.take()).resolves.toBeUndefined();
  });

  it('set the alarm anew for every holder that keeps others waiting, and for nobody else', async () => {
    const { queue, alarms } = underTest();
    await queue.take();
    expect(alarms.size).toBe(0);
    const [second, third] = [queue.take(), queue.take()];
    expect(alarms.size).toBe(1);
    expect(alarms.set).toBe(1);
    queue.giveBack();
    await second;
    expect([alarms.size, alarms.set]).toEqual([1, 2]);
    queue.giveBack();
    await third;
    expect([alarms.size, alarms.set]).toEqual([0, 2]);
  });

  it('set the alarm again for those who come after it rang', async () => {
    const { queue, ring } = underTest();
    await queue.take();
    for (let i = 0; i < 2; i += 1) {
      const wait = queue.take();
      ring();
      await expect(wait).rejects.toThrow('too long');
    }
  });
});
