import { notSafe } from './directory-safety.js';

test.each([
  [0o700, 7, 7, undefined],
  [0o755, 7, 7, undefined],
  [0o720, 7, 7, /written by others/],
  [0o702, 7, 7, /written by others/],
  [0o777, 7, 7, /written by others/],
  [0o700, 8, 7, /another user/],
  [0o700, 0, 7, /another user/],
  [0o777, 0, undefined, undefined],
])('a directory of mode %o and owner %i, for user %s', (mode, uid, ownUid, says) => {
  const problem = notSafe({ uid, mode: 0o40_000 | mode }, ownUid);
  if (says === undefined) expect(problem).toBeUndefined();
  else expect(problem).toMatch(says);
});
