import { Refusal } from '@portcullis/contract/refusals';
import { wwwAuthenticate } from './challenge.js';
import { refuseOldLogin } from './fresh-login.js';

const NOW = 1_800_000_000;
const refusalFor = (sub: string | undefined, authTime: number | undefined): Refusal | undefined => {
  try {
    refuseOldLogin({ sub, authTime }, 300, ['customer:delete'], NOW * 1000);
    return undefined;
  } catch (error) {
    return error as Refusal;
  }
};

test.each([0, 299, 300])('a person who signed in %d s ago passes', (age) => {
  expect(refusalFor('u1', NOW - age)).toBeUndefined();
});

test.each([
  ['301 s ago', NOW - 301],
  ['nobody knows when', undefined],
])('a person who signed in %s is told to sign in again', (_when, authTime) => {
  const refusal = refusalFor('u1', authTime)!;
  expect([refusal.code, refusal.facts.maxAge, refusal.facts.scopes]).toEqual([
    'login_too_old',
    300,
    ['customer:delete'],
  ]);
  expect(refusal.facts.hint).toMatch(/^Sign in again/);
});

test.each([undefined, NOW])('a client without a person is told that no token will help (auth_time %p)', (authTime) => {
  const refusal = refusalFor(undefined, authTime)!;
  expect(refusal.facts.hint).toMatch(/Only a person.*do not try again/);
  expect(wwwAuthenticate(refusal)).toMatch(
    /error="insufficient_user_authentication", error_description="[^"]*do not try again[^"]*", scope="customer:delete", max_age="300"$/,
  );
});
