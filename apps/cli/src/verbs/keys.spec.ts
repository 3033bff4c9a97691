import type { Api } from '../api.js';
import { ApiRefusal, NotDone } from '../faults.js';
import type { VerbPorts } from '../verb.js';
import { keysList } from './keys-list.js';
import { keysRotate } from './keys-rotate.js';

const key = { kid: 'k1', alg: 'ES256', state: 'active', notBefore: '2026-11-20T10:00:00.000Z', notAfter: null };

function gate(refusal?: ApiRefusal) {
  const asked: unknown[] = [];
  const notes: string[] = [];
  const api = {
    get: (path: string) => (asked.push(path), Promise.resolve({ items: [key], next_cursor: null })),
    send: (...question: unknown[]) => {
      asked.push(question);
      return refusal ? Promise.reject(refusal) : Promise.resolve({ items: [key], next_cursor: null });
    },
  } as unknown as Api;
  const ports = { admin: async () => api, note: (line: string) => void notes.push(line) } as unknown as VerbPorts;
  const rotate = (given: object) => keysRotate.run(keysRotate.input.parse(given), ports);
  return { ports, asked, notes, rotate };
}

test('keys are listed as they are', async () => {
  const { ports } = gate();
  expect((await keysList.run({}, ports)).json).toEqual([key]);
});

test.each([
  ['all keys', {}, {}],
  ['the keys of one algorithm', { alg: 'RS256' }, { alg: 'RS256' }],
  ['a key in wrong hands', { now: true }, { now: true }],
])('%s are rotated, and what stands then is printed', async (_what, given, body) => {
  const { rotate, asked, notes } = gate();
  expect((await rotate(given)).json).toEqual([key]);
  expect(asked).toEqual([['POST', '/keys/rotate', body]]);
  expect(notes).toEqual('now' in given ? [expect.stringMatching(/5 minutes/)] : []);
});

test('too soon is exit 1, says when, and names the way out for a compromise', async () => {
  const refusal = new ApiRefusal(409, 'The gate refused: This works from 2026-11-20T10:05:00.000Z on.');
  const error = await gate(refusal)
    .rotate({})
    .catch((thrown: Error) => thrown);
  expect(error).toBeInstanceOf(NotDone);
  expect(String(error)).toMatch(/2026-11-20T10:05:00.000Z on\. .*add --now/);
  await expect(gate(refusal).rotate({ now: true })).rejects.toBe(refusal);
});

test('an algorithm that is none of ours is wrong use', () => {
  expect(keysRotate.input.safeParse({ alg: 'HS256' }).error?.issues[0]?.path[0]).toBe('alg');
});
