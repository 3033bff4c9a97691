import { extensionAgrees, nameProblem } from './name.js';

it.each(['a.png', 'Rechnung März 2026.pdf', '請求書.pdf', 'v1.2 log.txt', 'photo(1).JPG'])('%j is a name', (name) => {
  expect(nameProblem(name)).toBeUndefined();
});

it.each([
  ['', /1 to 100/],
  [`${'a'.repeat(97)}.png`, /1 to 100/],
  ['../a.png', /path/],
  ['a/b.png', /path/],
  ['a\\b.png', /path/],
  ['C:a.png', /path/],
  ['a%2fb.png', /path/],
  ['a\nb.png', /invisible/],
  ['a\0.png', /invisible/],
  ['gnp.\u202efdp.exe.png', /invisible/],
  ['a\u200bb.png', /invisible/],
  ['a\u{e0041}.png', /invisible/],
  ['e\u0301.png', /form C/],
  ['.png', /begin or end/],
  [' a.png', /begin or end/],
  ['a.png ', /begin or end/],
  ['a.png.', /begin or end/],
  ['con.txt', /device/],
  ['NUL.png', /device/],
  ['noextension', /extension/],
  ['a.html5', /extension/],
] as const)('%j is no name', (name, says) => {
  expect(nameProblem(name)).toMatch(says);
});

it.each([
  ['a.PNG', 'image/png', true],
  ['a.jpeg', 'image/jpeg', true],
  ['a.png', 'image/jpeg', false],
  ['a.pdf.txt', 'application/pdf', false],
  ['a.html', 'text/plain', false],
  ['a.md', 'text/plain', true],
] as const)('that %s is %s: %s', (name, type, agrees) => {
  expect(extensionAgrees(name, type)).toBe(agrees);
});
