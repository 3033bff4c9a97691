import { expect, it } from '@jest/globals';
import { keyedId } from './keyed-id.js';

const idOf = keyedId(Buffer.alloc(32, 1));

it('a keyed id is the same for the same words and key, and for nothing else', () => {
  const ids = [
    idOf('acme', 'C1'),
    idOf('acme', 'C2'),
    idOf('acmeC', '1'),
    idOf('acme","C1'),
    keyedId(Buffer.alloc(32, 2))('acme', 'C1'),
  ];
  expect(idOf('acme', 'C1')).toBe(ids[0]);
  expect(new Set(ids).size).toBe(5);
});

it('a keyed id fits into a key, however long the words', () => {
  expect(idOf('acme', ': {}*\n'.repeat(1000))).toMatch(/^[\w-]{22}$/);
});

it('a short key is refused', () => {
  expect(() => keyedId(new Uint8Array(16))).toThrow(RangeError);
});
