import { describe, expect, it } from '@jest/globals';
import { perTurn } from './per-turn.redis.js';

describe('what is asked in one turn', () => {
  const recording = () => {
    const asked: [string, readonly number[]][] = [];
    const ask = perTurn<number, number>(async (group, numbers) => {
      asked.push([group, numbers]);
      if (numbers.includes(13)) throw new Error('away');
      return numbers.map((each) => each * 10);
    });
    return { asked, ask };
  };

  it('is asked together, a group at a time and in its order, and each gets its own answer', async () => {
    const { asked, ask } = recording();
    expect(await Promise.all([ask('a', 1), ask('b', 2), ask('a', 3)])).toEqual([10, 20, 30]);
    expect(await ask('a', 4)).toBe(40);
    expect(asked).toEqual([
      ['a', [1, 3]],
      ['b', [2]],
      ['a', [4]],
    ]);
  });

  it('is asked in parts when it is much', async () => {
    const { asked, ask } = recording();
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => ask('a', 100 + n)));
    expect(answers).toEqual(Array.from({ length: 300 }, (_, n) => 1000 + 10 * n));
    expect(asked.map(([, numbers]) => numbers.length)).toEqual([128, 128, 44]);
  });

  it('fails together, and the other groups do not', async () => {
    const { ask } = recording();
    const all = await Promise.allSettled([ask('a', 13), ask('a', 1), ask('b', 1)]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});
