import fc from 'fast-check';
import { base32, isDrillTenant, isPrincipalId, isTenant, principalId } from './ids.js';

test.each([
  ['', ''],
  ['f', 'my'],
  ['fo', 'mzxq'],
  ['foo', 'mzxw6'],
  ['foob', 'mzxw6yq'],
  ['fooba', 'mzxw6ytb'],
  ['foobar', 'mzxw6ytboi'],
])('base32 of %j is %j (RFC 4648 §10, in small letters, without padding)', (text, expected) => {
  expect(base32(new TextEncoder().encode(text))).toBe(expected);
});

test('the id of a principal is pinned: every service derives the same one, now and after an upgrade', () => {
  expect(principalId('default', 'support-agent')).toBe('agt_fer4cw4baqbau3hx23ffovzv2u');
  expect(principalId('default', 'support-agent', 'u1')).toBe('agt_p7tj2f6dtcv4o3pytjfnhkxari');
});

test('other words never give the same principal, however they are cut', () => {
  const words = fc.tuple(fc.string(), fc.string(), fc.option(fc.string(), { nil: undefined }));
  fc.assert(
    fc.property(words, words, (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b);
      expect(isPrincipalId(principalId(...a))).toBe(true);
      expect(principalId(...a) === principalId(...b)).toBe(same);
    }),
  );
  expect(principalId('a', 'b,c')).not.toBe(principalId('a', 'b', 'c'));
});

test.each([
  ['default', true],
  ['a', true],
  ['drill-7', true],
  ['x'.repeat(32), true],
  ['x'.repeat(33), false],
  ['', false],
  ['Acme', false],
  ['a/b', false],
  ['a\n', false],
  ['ä', false],
  [7, false],
  [undefined, false],
])('%j as a tenant: %s', (value, tenant) => expect(isTenant(value)).toBe(tenant));

test('drill tenants are those that say so', () => {
  expect(['drill-1', 'default', 'my-drill-1', 'drill'].map(isDrillTenant)).toEqual([true, false, false, false]);
});

test.each([
  'agt_',
  'agt_' + 'a'.repeat(25),
  'agt_' + 'a'.repeat(27),
  'agt_' + '1'.repeat(26),
  'AGT_' + 'a'.repeat(26),
  7,
])('%j is no principal', (value) => expect(isPrincipalId(value)).toBe(false));
