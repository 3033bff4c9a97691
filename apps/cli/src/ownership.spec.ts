import { notOwn } from './ownership.js';

const mine = (mode: number) => ({ path: '/data/admin.json', uid: 1000, mode });

test.each([
  ['0600', 0o600, false],
  ['0644', 0o644, false],
  ['0400', 0o400, true],
  ['0600', 0o600, true],
  ['0700', 0o700, true],
])('a file of the own user with mode %s is its own (secret: %#)', (_, mode, secret) => {
  expect(notOwn(mine(mode), 1000, secret)).toBeUndefined();
});

test.each([
  ['0620', 0o620, false, /written by others: run 'chmod go-w/],
  ['0602', 0o602, false, /written by others/],
  ['0777', 0o777, false, /written by others/],
  ['0640', 0o640, true, /read by others: run 'chmod 600/],
  ['0604', 0o604, true, /read by others/],
  ['0601', 0o601, true, /read by others/],
])('mode %s is not, and the sentence says what to change (secret: %#)', (_, mode, secret, says) => {
  expect(notOwn(mine(mode), 1000, secret)).toMatch(says);
});

test("another user's file is never the own, whatever its mode", () => {
  expect(notOwn(mine(0o600), 1001)).toMatch(/belongs to another user \(uid 1000\)/);
  expect(notOwn(mine(0o600), 0)).toMatch(/belongs to another user/);
});
