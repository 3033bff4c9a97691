import { validate, version } from 'uuid';
import { newId } from './new-id.memory.js';

test('ids are UUIDv7, each its own, and sort in the order they were made', () => {
  const made = Array.from({ length: 5000 }, newId);
  expect(made.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(new Set(made).size).toBe(made.length);
  expect([...made].sort()).toEqual(made);
});

test('an id tells when it was made', () => {
  const before = Date.now();
  const at = parseInt(newId().replace('-', '').slice(0, 12), 16);
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(Date.now());
});

test('what is random in an id is not the same in the next', () => {
  const tails = Array.from({ length: 600 }, () => newId().slice(-12));
  expect(new Set(tails).size).toBe(tails.length);
});
