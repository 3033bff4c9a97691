import { sameText } from './constant-time.js';

test.each([
  ['abc', 'abc', true],
  ['abc', 'abd', false],
  ['abc', 'abcd', false],
  ['', 'a', false],
  ['', '', true],
  ['é', 'e', false],
])('%j and %j are the same: %s', (a, b, same) => expect(sameText(a, b)).toBe(same));
