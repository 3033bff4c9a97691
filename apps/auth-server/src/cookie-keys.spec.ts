import { cookieSigner, formToken } from './cookie-keys.js';

const [now, old] = [1, 2].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array];

test('a cookie is good under the present key and the one before, and the present one signs', () => {
  const [signer, before] = [cookieSigner([now, old]), cookieSigner([old])];
  expect(signer.index('a=1', signer.sign('a=1'))).toBe(0);
  expect(signer.index('a=1', before.sign('a=1'))).toBe(1);
  expect(signer.sign('a=1')).not.toBe(before.sign('a=1'));
});
test.each([['a=2'], ['']])('a digest is for its own cookie, not for %j', (data) => {
  const signer = cookieSigner([now]);
  expect(signer.verify(data, signer.sign('a=1'))).toBe(false);
  expect(signer.verify('a=1', '')).toBe(false);
});

test('a form token fits its own interaction only', () => {
  const forms = formToken([now, old]);
  expect(forms.fits('i', forms.make('i'))).toBe(true);
  expect(forms.fits('i', formToken([old]).make('i'))).toBe(true);
  expect(forms.fits('j', forms.make('i'))).toBe(false);
  for (const wrong of [undefined, '', ['x'], {}, forms.make('i').slice(1)]) expect(forms.fits('i', wrong)).toBe(false);
});
test('what signs cookies signs no forms', () => {
  expect(formToken([now]).make('i')).not.toBe(cookieSigner([now]).sign('i'));
});
