import { inert, inertJson } from './inert.js';

test.each([
  ['a zero width space', 'a\u200bb', 'a\\u{200b}b'],
  ['a right-to-left override', 'a\u202eb', 'a\\u{202e}b'],
  ['an isolate', '\u2066', '\\u{2066}'],
  ['a tag character', '\u{e0041}', '\\u{e0041}'],
  ['a variation selector', 'a\ufe0f', 'a\\u{fe0f}'],
  ['one of the second block', 'a\u{e0100}', 'a\\u{e0100}'],
  ['a soft hyphen', 'a\u00adb', 'a\\u{ad}b'],
  ['a hangul filler, which looks like a blank', '\u3164', '\\u{3164}'],
  ['a no-break space', '\u00a0', '\\u{a0}'],
  ['a line separator', '\u2028', '\\u{2028}'],
  ['a line end', '\n', '\\u{a}'],
  ['half a pair', '\ud83d', '\\u{d83d}'],
  ['a private character', '\ue000', '\\u{e000}'],
  ['a NUL', '\0', '\\u{0}'],
  ['a braille pattern without dots', 'a\u2800b', 'a\\u{2800}b'],
  ['a note head that is not there', 'a\u{1d159}b', 'a\\u{1d159}b'],
])('%s is written out', (_, value, shown) => {
  expect(inert(value)).toBe(shown);
});

test('letters of all scripts, signs and plain blanks stay as they are', () => {
  const text = 'Zoë Müller, 山田 太郎, Ελένη, דנה, 🙂 $1.50';
  expect(inert(text)).toBe(text);
});

test.each(['\u0301', '\u0323', '\u0336', '\u20dd', '\u0489'])(
  'of the marks %j that are stacked on a letter, those after the fourth are written out',
  (mark) => {
    const code = `\\u{${mark.charCodeAt(0).toString(16)}}`;
    expect(inert(`a${mark.repeat(4)}`)).toBe(`a${mark.repeat(4)}`);
    expect(inert(`a${mark.repeat(6)}b`)).toBe(`a${mark.repeat(4)}${code}${code}b`);
    expect(inert(`a${mark.repeat(100)}`)).not.toMatch(/\p{M}{5}/u);
  },
);

test('markup is text', () => {
  expect(inert(`<img src=x onerror="alert('1')">&amp;`)).toBe(
    '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;',
  );
});

test('arguments are shown whole, one line each, and no text in them makes a line of its own', () => {
  expect(inertJson('{"a":[1,true,null],"b":"x\\n  \\"c\\": 2\\u202e"}')).toBe(
    '{\n  &quot;a&quot;: [\n    1,\n    true,\n    null\n  ],\n  &quot;b&quot;: &quot;x\\n  \\&quot;c\\&quot;: 2\\u{202e}&quot;\n}',
  );
});
