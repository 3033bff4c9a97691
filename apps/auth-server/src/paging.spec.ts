import * as z from 'zod';
import { cursorOf, cutPage, pageOf, pageQuery } from './paging.js';

const query = z.strictObject(pageQuery);

test('a list without a wish gives fifty', () =>
  expect(pageOf(query.parse({}))).toEqual({ limit: 50, after: undefined }));
test('a cursor leads back to the key it was made from', () => {
  const cursor = cursorOf('usr_älter') ?? '';
  expect(pageOf(query.parse({ limit: '2', cursor }))).toEqual({ limit: 2, after: 'usr_älter' });
  expect(cursorOf(undefined)).toBeNull();
});
test.each([
  [{ limit: '0' }],
  [{ limit: '201' }],
  [{ limit: 'x' }],
  [{ limit: '1.5' }],
  [{ cursor: 'a b' }],
  [{ cursor: '' }],
])('%j is refused', (sent) => expect(query.safeParse(sent).success).toBe(false));
test('a cursor that is none of ours is harmless', () => {
  expect(pageOf({ limit: 1, cursor: Buffer.from('a\0b').toString('base64url') }).after).toBe('ab');
});
test('one row beyond the page says that more follow', () => {
  const page = { limit: 2, after: undefined };
  expect(cutPage(['a', 'b', 'c'], page, String)).toEqual({ items: ['a', 'b'], next: 'b' });
  expect(cutPage(['a', 'b'], page, String)).toEqual({ items: ['a', 'b'], next: undefined });
  expect(cutPage([], page, String)).toEqual({ items: [], next: undefined });
});
