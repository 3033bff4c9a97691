import { inspect } from 'node:util';
import { Secret } from './secret.js';

const secret = new Secret('hunter2');

test('reveal is the one way to the value', () => {
  expect(secret.reveal()).toBe('hunter2');
});

test.each<[string, () => unknown]>([
  ['a template string', () => `${secret}`],
  ['concatenation', () => '' + (secret as unknown as string)],
  ['JSON', () => JSON.stringify({ secret })],
  ['the debugger', () => inspect({ deep: { secret } }, { showHidden: true, depth: 9 })],
  ['an error', () => inspect(new Error('x', { cause: secret }))],
  ['its own properties', () => inspect([Reflect.ownKeys(secret), { ...secret }])],
])('it does not print itself in %s', (_where, print) => {
  expect(String(print())).not.toContain('hunter2');
});
