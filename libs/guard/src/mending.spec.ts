import { silentLog } from '@portcullis/contract/log';
import { mending } from './mending.js';

function rig() {
  const told: string[][] = [];
  const timers: (() => void)[] = [];
  const state = { away: false };
  const all = mending({
    tell: async (keys) => {
      if (state.away) throw new Error('away');
      told.push([...keys]);
    },
    later: (_ms, run) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    },
    log: silentLog,
  });
  const turn = async () => {
    timers.shift()?.();
    await new Promise(setImmediate);
  };
  return { ...all, told, timers, state, turn };
}

test('keys are told once each, together, however often they were forged', async () => {
  const { mend, told, timers, turn } = rig();
  for (const key of ['a', 'b', 'a']) mend(key);
  expect([told, timers.length]).toEqual([[], 1]);
  await turn();
  expect([told, timers.length]).toEqual([[['a', 'b']], 0]);
  mend('a');
  await turn();
  expect(told).toEqual([['a', 'b'], ['a']]);
});

test('what could not be told is told again', async () => {
  const { mend, told, state, turn } = rig();
  state.away = true;
  mend('a');
  await turn();
  state.away = false;
  await turn();
  expect(told).toEqual([['a']]);
});

test('a flood of keys is bounded', async () => {
  const { mend, told, turn } = rig();
  for (let n = 0; n < 5000; n++) mend(String(n));
  await turn();
  expect(told.map(({ length }) => length)).toEqual([1000]);
});

test('after stop nothing is told', async () => {
  const { mend, stop, told, timers, turn } = rig();
  mend('a');
  await stop();
  mend('b');
  await turn();
  expect([told, timers]).toEqual([[], []]);
});
