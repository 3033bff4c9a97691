import { etagOf, expectedVersions } from './versions.js';

test('the tag of a version names that version', () => {
  expect(expectedVersions(etagOf({ version: 7 }))).toEqual([7]);
});

test.each<[string | undefined, readonly number[] | undefined]>([
  [undefined, undefined],
  ['*', undefined],
  ['"v1", "v3"', [1, 3]],
  // RFC 9110 §13.1.1: the comparison is strong
  ['W/"v1"', []],
  ['"other"', []],
  ['v1', []],
  ['', []],
  [`"v1"${',"v2"'.repeat(100_000)}`, expect.arrayContaining([1, 2]) as never],
])('If-Match %#', (header, versions) => {
  expect(expectedVersions(header)).toEqual(versions);
});
