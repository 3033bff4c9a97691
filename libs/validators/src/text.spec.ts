import fc from 'fast-check';
import { isPlainText, printable, text } from './text.js';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('text', () => {
  it('is bounded at both ends', () => {
    const schema = text({ max: 3 });
    expect(['', 'a', 'abc', 'abcd'].map((value) => accepts(schema, value))).toEqual([false, true, true, false]);
  });

  it.each([
    ['NUL', 'a\0b'],
    ['an escape character', 'a\u001bb'],
    ['a C1 control', 'a\u0085b'],
    ['half a surrogate pair', 'a\ud800b'],
    ['the other half', '\udc00'],
    ['a carriage return', 'a\rb'],
  ])('never holds %s', (_name, value) => {
    expect([accepts(text({ max: 9 }), value), accepts(text({ max: 9, lines: true }), value)]).toEqual([false, false]);
  });

  it('holds line feeds and tabs only where they are let through', () => {
    expect([accepts(text({ max: 9 }), 'a\n\tb'), accepts(text({ max: 9, lines: true }), 'a\n\tb')]).toEqual([
      false,
      true,
    ]);
  });

  it('takes every well-formed text without control characters, in any script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), (value) => {
        const clean = value.replace(/\p{Cc}/gu, '');
        expect(isPlainText(clean)).toBe(true);
      }),
    );
  });

  it('takes no text that UTF-8 cannot carry', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (value) => {
          const survives = new TextDecoder().decode(new TextEncoder().encode(value)) === value;
          expect(isPlainText(value) && !survives).toBe(false);
        },
      ),
    );
  });
});

describe('printable', () => {
  it('leaves ASCII from space to tilde and cuts to the length asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 200 }), (value, max) => {
        const left = printable(value, max) ?? '';
        expect(/^[ -~]*$/.test(left) && left.length <= max).toBe(true);
      }),
    );
  });

  it('is undefined when nothing is left', () => {
    expect([printable('\n\0'), printable(''), printable(7), printable(undefined)]).toEqual(Array(4).fill(undefined));
  });
});
