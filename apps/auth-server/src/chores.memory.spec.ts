import { jest } from '@jest/globals';
import type { Log } from '@portcullis/contract/log';
import { doRegularly } from './chores.memory.js';

const warned: string[] = [];
const log = { warn: (message: string) => void warned.push(message) } as unknown as Log;

beforeEach(() => {
  jest.useFakeTimers();
  warned.length = 0;
});
afterEach(() => void jest.useRealTimers());

test('each chore is done in its own time, until they are ended', async () => {
  const done: string[] = [];
  const chore = (name: string, everyMs: number) => ({ everyMs, otherwise: '', run: async () => void done.push(name) });
  const stop = doRegularly([chore('often', 100), chore('seldom', 250)], log);
  await jest.advanceTimersByTimeAsync(500);
  expect(done.filter((name) => name === 'often')).toHaveLength(5);
  expect(done.filter((name) => name === 'seldom')).toHaveLength(2);
  stop();
  await jest.advanceTimersByTimeAsync(500);
  expect(done).toHaveLength(7);
});

test('what fails is logged, and done the next time', async () => {
  let tries = 0;
  const run = async () => {
    tries += 1;
    throw new Error('not now');
  };
  const stop = doRegularly([{ everyMs: 100, otherwise: 'it stays for now', run }], log);
  await jest.advanceTimersByTimeAsync(200);
  stop();
  expect([tries, warned]).toEqual([2, ['it stays for now', 'it stays for now']]);
});
