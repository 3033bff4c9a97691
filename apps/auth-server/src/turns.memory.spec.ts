import { memoryTurns } from './turns.memory.js';

const held = () => {
  const ends: (() => void)[] = [];
  const state = { running: 0, most: 0 };
  const work = async () => {
    state.most = Math.max(state.most, (state.running += 1));
    await new Promise<void>((resolve) => ends.push(resolve));
    state.running -= 1;
    return 'done';
  };
  return { ends, state, work };
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('so much is done at once, so much waits, and the rest is not done', async () => {
  const { ends, state, work } = held();
  const turns = memoryTurns(2, 3);
  const all = Array.from({ length: 8 }, () => turns(work));
  for (let i = 0; i < 5; i += 1) {
    await settled();
    ends.shift()?.();
  }
  expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'done', 'done', undefined, undefined, undefined]);
  expect(state.most).toBe(2);
});

test('work that fails gives its turn on', async () => {
  const turns = memoryTurns(1, 1);
  const failed = turns(() => Promise.reject(new Error('no')));
  const next = turns(() => Promise.resolve('done'));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('done');
  expect(await turns(() => Promise.resolve('again'))).toBe('again');
});
