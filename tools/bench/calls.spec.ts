import { BARS } from './calls.mjs';

it('what a call may cost, and beside what', () => {
  expect(BARS.map(([, ...bar]) => bar)).toEqual([
    [['ours', 'one'], ['hand', 'one'], 1 / 6],
    [['ours', 'one'], ['nest', 'one'], 1 / 6],
    [['ours', 'many'], ['ours', 'one'], 1.3],
    [['ours', 'dpop'], ['sdk', 'one'], 1 / 3],
    [['ours', 'half'], ['hand', 'half'], 1],
  ]);
});

it('each bar says its figure', () => {
  const said = ['1/6', '1/6', '1.3', '1/3', 'at most that of'];
  expect(BARS).toHaveLength(said.length);
  for (const [i, [what]] of BARS.entries()) expect(what).toContain(said[i]);
});
