import { randomBytes } from 'node:crypto';
import { sealedCookies } from './sealed.js';

const [first, second] = [randomBytes(32), randomBytes(32)];
const cookies = sealedCookies([first], randomBytes);

test('what was sealed is opened, for the same use only', () => {
  const sealed = cookies.seal('session', { token: 'x' });
  expect(cookies.open('session', sealed)).toEqual({ token: 'x' });
  expect(cookies.open('login', sealed)).toBeUndefined();
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('token');
});

test('the same value is sealed otherwise each time', () => {
  expect(cookies.seal('session', {})).not.toBe(cookies.seal('session', {}));
});

test('a changed one, a short one, a long one and none are nobody’s', () => {
  const sealed = cookies.seal('session', { token: 'x' });
  for (let at = 0; at < sealed.length; at += 7) {
    const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
    expect(cookies.open('session', changed)).toBeUndefined();
  }
  for (const text of ['', 'AAAA', 'A'.repeat(10_000), undefined]) expect(cookies.open('session', text)).toBeUndefined();
});

test('while a key is rotated both are good, and the new one is used', () => {
  const rotating = sealedCookies([second, first], randomBytes);
  expect(rotating.open('session', cookies.seal('session', { a: 1 }))).toEqual({ a: 1 });
  expect(cookies.open('session', rotating.seal('session', { a: 1 }))).toBeUndefined();
  expect(rotating.fits('s', cookies.formToken('s'))).toBe(true);
  expect(cookies.fits('s', rotating.formToken('s'))).toBe(false);
});

test.each([[undefined], [''], ['x'], [['x']], [cookies.formToken('another')]])(
  'a form with %j is not of our page',
  (token) => expect(cookies.fits('session', token)).toBe(false),
);
