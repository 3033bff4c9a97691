import { bunched } from './bunched.memory.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('what is asked for in one turn is done at its end, in order, and answered each with its own', async () => {
  const done: number[] = [];
  const twice = bunched((n: number) => (done.push(n), 2 * n));
  const all = Promise.all([3, 1, 2].map((n) => twice(n)));
  expect(done).toEqual([]);
  expect(await all).toEqual([6, 2, 4]);
  expect(done).toEqual([3, 1, 2]);
});

test('others have their turn after thirty-two, and none is left behind', async () => {
  let done = 0;
  const count = bunched(() => ++done);
  const all = Promise.all(Array.from({ length: 70 }, () => count()));
  const seen: number[] = [];
  for (let n = 0; n < 4; n += 1) {
    await turn();
    seen.push(done);
  }
  expect(seen).toEqual([32, 64, 70, 70]);
  expect(await all).toEqual(Array.from({ length: 70 }, (_, n) => n + 1));
});

test('what one throws is its own, and what is asked for while others are done comes after them', async () => {
  const asked: Promise<string>[] = [];
  const work = bunched((word: string): string => {
    if (word === 'bad') throw new Error('bad');
    if (word === 'first') asked.push(work('later'));
    return word;
  });
  const all = Promise.allSettled(['first', 'bad', 'last'].map((word) => work(word)));
  expect((await all).map((each) => (each.status === 'fulfilled' ? each.value : 'thrown'))).toEqual([
    'first',
    'thrown',
    'last',
  ]);
  expect(await Promise.all(asked)).toEqual(['later']);
});
