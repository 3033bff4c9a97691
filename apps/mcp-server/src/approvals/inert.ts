const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (value: string): string => value.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

/**
 * What the eye does not see, or what turns other text around: controls, format and ignorable characters (tags, zero widths,
 * variation selectors), surrogates without a partner, what is not assigned, every blank but the plain one with what is as
 * blank (braille without dots, the null notehead), and marks beyond the fourth on one letter, which would lie over the lines
 * beside it.
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]|(?! )\p{Zs}|(?<=\p{M}{4})\p{M}/gu;
const written = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** Text as a person has to see it who decides by it, safe in HTML: nothing of it hides, moves, or is anything but text. */
export const inert = (value: string): string => escaped(value.replace(UNSEEN, written));

/**
 * Arguments, in full, line by line. JSON has escaped what ends a line inside of a text, so every line end is one of the
 * layout.
 * @param json canonical JSON
 */
export const inertJson = (json: string): string =>
  JSON.stringify(JSON.parse(json), null, 2).split('\n').map(inert).join('\n');
