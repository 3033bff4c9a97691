/**
 * What a text hides from the people who read it and shows to the model that does.
 * `tags` characters of the tag block · `variation_selectors` two or more of them in a row · `zero_width` three or more
 * characters of no width in a row
 */
export type HiddenKind = 'tags' | 'variation_selectors' | 'zero_width';

/** One unit of everything that is looked for; text without any, which is nearly all text, costs this one test. */
const CANDIDATE =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\udb40-\udb43]/;

const BLACK_FLAG = 0x1f3f4;
const CANCEL_TAG = 0xe007f;
const MAX_SUBDIVISION = 6;
const VARIATION_SELECTORS_AT_MOST = 1;
const INVISIBLE_AT_MOST = 2;

/**
 * Does the text hold characters that nobody can see, in numbers that no script needs? Joiners between letters, emoji
 * sequences, flags of subdivisions and marks of direction are let be. One pass, no backtracking.
 * @returns the first kind found; undefined when there is none
 * @see Unicode Technical Standard #51 §ED-14a (tag sequences), UAX #44 (Default_Ignorable_Code_Point)
 */
export function hiddenIn(text: string): HiddenKind | undefined {
  if (!CANDIDATE.test(text)) return undefined;
  let invisible = 0;
  let selectors = 0;
  for (let at = 0, before = 0; at < text.length;) {
    const code = text.codePointAt(at)!;
    at += code > 0xffff ? 2 : 1;
    if (isTag(code)) {
      const end = before === BLACK_FLAG ? endOfFlag(text, at - 2) : undefined;
      if (end === undefined) return 'tags';
      at = end;
      invisible = selectors = 0;
    } else if (isVariationSelector(code)) {
      if (++selectors > VARIATION_SELECTORS_AT_MOST) return 'variation_selectors';
      if (++invisible > INVISIBLE_AT_MOST) return 'zero_width';
    } else if (isZeroWidth(code)) {
      if (++invisible > INVISIBLE_AT_MOST) return 'zero_width';
    } else invisible = selectors = 0;
    before = code;
  }
  return undefined;
}

/** All of plane 14 but the variation selectors in it: tags, and what Unicode keeps for characters that show nothing. */
const isTag = (code: number): boolean => code >= 0xe0000 && code <= 0xe0fff && !isVariationSelector(code);

const isVariationSelector = (code: number): boolean =>
  (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef);

const isZeroWidth = (code: number): boolean => code < 0x10000 && CANDIDATE.test(String.fromCharCode(code));

/**
 * The tags after a black flag spell a subdivision (`gbsct`): a region of two letters, one to four letters or digits, and
 * the tag that ends it (UTS #51, emoji tag sequences).
 * @param at where the first tag stands
 * @returns where the text goes on; undefined when it is no such flag
 */
function endOfFlag(text: string, at: number): number | undefined {
  for (let length = 0; length <= MAX_SUBDIVISION; length++, at += 2) {
    const code = text.codePointAt(at);
    if (code === CANCEL_TAG) return length >= 3 ? at + 2 : undefined;
    if (code === undefined || !isTagWord(code, length)) return undefined;
  }
  return undefined;
}
const isTagWord = (code: number, place: number): boolean =>
  (code >= 0xe0061 && code <= 0xe007a) || (place >= 2 && code >= 0xe0030 && code <= 0xe0039);

/** How much of a value is looked through; what is larger could hide anything. */
export interface HiddenBounds {
  readonly maxDepth: number;
  readonly maxLeaves: number;
}
const BOUNDS: HiddenBounds = { maxDepth: 64, maxLeaves: 500_000 };

/** Where hidden text is in a value: the path of the member, as `customer.name` or `tags.3`. */
export interface HiddenAt {
  readonly path: string;
  readonly kind: HiddenKind | 'unseen';
}

/**
 * Looks through the strings of a value as JSON has them, names of members included.
 * @returns the first place found, `unseen` where the value goes on beyond the bounds; undefined when there is none
 */
export function hiddenAt(value: unknown, bounds: HiddenBounds = BOUNDS): HiddenAt | undefined {
  const path: (string | number)[] = [];
  const kind = walk(value, path, { left: bounds.maxLeaves, maxDepth: bounds.maxDepth });
  return kind && { path: path.join('.'), kind };
}

interface Walk {
  left: number;
  readonly maxDepth: number;
}

function walk(value: unknown, path: (string | number)[], state: Walk): HiddenAt['kind'] | undefined {
  if (typeof value === 'string') return hiddenIn(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (path.length >= state.maxDepth || --state.left < 0) return 'unseen';
  const isList = Array.isArray(value);
  for (const key in value) {
    // a member whose name hides something is told by where it stands, not by its name
    const inName = isList ? undefined : hiddenIn(key);
    if (inName !== undefined) return inName;
    if (--state.left < 0) return 'unseen';
    path.push(key);
    const found = walk((value as Record<string, unknown>)[key], path, state);
    if (found !== undefined) return found;
    path.pop();
  }
  return undefined;
}
