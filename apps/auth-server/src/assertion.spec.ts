import { checkAssertion } from './assertion.js';

const NOW = 1_800_000_000;
const good = { iss: 'a', sub: 'a', aud: 'https://auth.example', jti: 'x', iat: NOW, exp: NOW + 300 };

test('an assertion of the usual five minutes is fine', () => {
  expect(() => checkAssertion(good, NOW)).not.toThrow();
});
test('one without iat, and one whose only audience stands in a list, are fine', () => {
  const { iat: _iat, ...rest } = good;
  expect(() => checkAssertion(rest, NOW)).not.toThrow();
  expect(() => checkAssertion({ ...good, aud: ['https://auth.example'] }, NOW)).not.toThrow();
});

test.each([
  ['lives a day', { exp: NOW + 86_400 }],
  ['never ends', { exp: undefined }],
  ['ends at a text', { exp: String(NOW + 60) }],
  ['comes from the future', { iat: NOW + 3600 }],
  ['is for others too', { aud: ['https://auth.example', 'https://evil.example'] }],
  ['is for nobody', { aud: [] }],
  ['has an id of a thousand characters', { jti: 'x'.repeat(1000) }],
  ['has an id that is no text', { jti: 7 }],
])('one that %s is refused as a failed authentication', (_says, claims) => {
  expect(() => checkAssertion({ ...good, ...claims }, NOW)).toThrow(
    expect.objectContaining({ error: 'invalid_client', status: 401 }),
  );
});
