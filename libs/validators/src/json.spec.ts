import fc from 'fast-check';
import { JsonRefused, parseJson, type JsonBounds } from './json.js';

const BOUNDS: JsonBounds = { maxDepth: 32, maxKeys: 100, maxBytes: 10_000 };
const problemOf = (text: string, bounds = BOUNDS): string => {
  try {
    parseJson(text, bounds);
    return 'none';
  } catch (error) {
    return error instanceof JsonRefused ? error.problem : String(error);
  }
};
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

it('reads what JSON.parse reads, and nothing else', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(problemOf(text) === 'none');
      expect(parseJson(text, BOUNDS)).toEqual(JSON.parse(text));
    }),
  );
});

it('throws its own error for any text that is not JSON', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(['none', 'too_large', 'too_deep', 'too_many_keys', 'forbidden_key', 'equal_keys', 'malformed']).toContain(
        problemOf(text),
      );
    }),
  );
});

it('lets 32 levels through and refuses the 33rd', () => {
  expect([problemOf(nested(32)), problemOf(nested(33)), problemOf(nested(200))]).toEqual([
    'none',
    'too_deep',
    'too_deep',
  ]);
});

it('refuses depth in time that grows with the text and not with the depth', () => {
  expect(problemOf('{"a":'.repeat(1000), { ...BOUNDS, maxBytes: 1e6 })).toBe('too_deep');
});

it('does not count brackets, colons and quotes inside strings', () => {
  const text = JSON.stringify({ a: '[[[[{{{{"\\":::'.repeat(50) });
  expect(problemOf(text, { ...BOUNDS, maxDepth: 1, maxKeys: 1 })).toBe('none');
});

it('counts the members of all objects together', () => {
  const bounds = { ...BOUNDS, maxKeys: 3 };
  expect([problemOf('{"a":{"b":1},"c":2}', bounds), problemOf('[{"a":1,"b":2},{"a":1,"b":2}]', bounds)]).toEqual([
    'none',
    'too_many_keys',
  ]);
});

it.each(['[]', '{}', '[[]]'])(
  'counts arrays and objects too, of which %s is as short in text as it is large in memory',
  (each) => {
    const many = (containers: number) =>
      `[${Array(containers / (each.length / 2))
        .fill(each)
        .join()}]`;
    const bounds = { ...BOUNDS, maxKeys: 13 };
    expect([problemOf(many(12), bounds), problemOf(many(14), bounds)]).toEqual(['none', 'too_many_keys']);
  },
);

it('measures size in UTF-8 bytes', () => {
  const bounds = { ...BOUNDS, maxBytes: 8 };
  expect([
    problemOf('"aaaaaa"', bounds),
    problemOf('"aaaaaaa"', bounds),
    problemOf('"ééé"', bounds),
    problemOf('"éééa"', bounds),
  ]).toEqual(['none', 'too_large', 'none', 'too_large']);
  expect([
    problemOf('"€€"', bounds),
    problemOf('"€€a"', bounds),
    problemOf('"😀aa"', bounds),
    problemOf('"😀aaa"', bounds),
  ]).toEqual(['none', 'too_large', 'none', 'too_large']);
});

it.each([
  '{"__proto__":1}',
  '{"a":[{"__proto__":{"isAdmin":true}}]}',
  '{"\\u005f_proto__":1}',
  '{"_\\u005Fproto_\\u005f":1}',
])('refuses the key __proto__ in %s', (text) => {
  expect(problemOf(text)).toBe('forbidden_key');
});

it('lets __proto__ through as a value', () => {
  expect(parseJson('{"a":"__proto__"}', BOUNDS)).toEqual({ a: '__proto__' });
});

it.each(['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '[{"b":{"a":[],"c":1,"a":{}}}]', '{"":1,"":2}'])(
  'refuses the equal keys in %s',
  (text) => {
    expect(problemOf(text)).toBe('equal_keys');
  },
);

it('lets equal keys of different objects through', () => {
  const value = { a: { a: [{ a: 1 }, { a: '{"a":1,"a":2}' }] } };
  expect(parseJson(JSON.stringify(value), BOUNDS)).toEqual(value);
});

it('refuses the key __proto__ as such, also when it comes twice', () => {
  expect(problemOf('{"__proto__":1,"a":{"__proto__":2}}')).toBe('forbidden_key');
});

it.each(['', ' ', '{', '{"a":1}}', '[1,]', "{'a':1}", 'NaN', '"a\nb"', '"a\0b"', '\ufeff{}', '01'])(
  'calls %j malformed',
  (text) => {
    expect(problemOf(text)).toBe('malformed');
  },
);

it('bounds the length of keys and of texts, as they are written, each by its own figure', () => {
  const bounds = { ...BOUNDS, maxKeyLength: 3, maxTextLength: 5 };
  expect(
    ['{"abc":"12345"}', '{"abcd":1}', '{"a" : {"abcd" :1}}', '["123456"]', '{"a":"12\\n45"}', '{"a":"12\\n4"}'].map(
      (text) => problemOf(text, bounds),
    ),
  ).toEqual(['none', 'long_key', 'long_key', 'long_text', 'long_text', 'none']);
});
