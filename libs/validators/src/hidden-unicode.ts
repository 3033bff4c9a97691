/**
 * What a text hides from the people who read it and shows to the model that does.
 * `tags` characters of the tag block · `variation_selectors` two or more of them in a row, or three in a text behind
 * characters that have no variants · `zero_width` three or more characters in a row that show nothing, or five in a text
 * at places where no writing has them
 */
export type HiddenKind = 'tags' | 'variation_selectors' | 'zero_width';

/** One unit of everything that is looked for; text without any, which is nearly all text, costs this one test. */
const CANDIDATE =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud82f\ud834\udb40-\udb43]/;

/** What Unicode says to leave unshown, marks of direction among it, and the anchors of annotations. */
const UNSHOWN = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

const SELECTORS_IN_A_ROW = 1;
const SELECTORS_WITHOUT_CARRIER = 2;
const UNSHOWN_IN_A_ROW = 2;
/** Programs leave a few of them behind in what is copied: in any text so many, and one more for so many UTF-16 code units. */
const UNSHOWN_OUT_OF_PLACE = 4;
const UNITS_FOR_ONE_MORE = 2_000;

/**
 * Does the text hold characters that nobody can see, in numbers that no script needs? Joiners between letters, emoji
 * sequences, flags of subdivisions and marks of direction are let be. Linear, no backtracking.
 * @returns the first kind found; undefined when there is none
 * @see Unicode Technical Standard #51 §ED-14a (tag sequences), UAX #44 (Default_Ignorable_Code_Point)
 */
export function hiddenIn(text: string): HiddenKind | undefined {
  if (!CANDIDATE.test(text)) return undefined;
  let end = 0;
  let row = 0;
  let selectorsInRow = 0;
  let strays = 0;
  for (let at = nextUnshown(text, 0); at !== -1; at = nextUnshown(text, end)) {
    if (at !== end) row = selectorsInRow = 0;
    const code = text.codePointAt(at)!;
    end = at + (code > 0xffff ? 2 : 1);
    if (isTag(code)) {
      const flag = text.startsWith(BLACK_FLAG, at - 2) && FLAGS.find((each) => text.startsWith(each, at));
      if (!flag) return 'tags';
      end = at + flag.length;
      row = selectorsInRow = 0;
      continue;
    }
    if (isVariationSelector(code)) {
      if (++selectorsInRow > SELECTORS_IN_A_ROW) return 'variation_selectors';
      if (!carries(text, at, code) && ++strays > SELECTORS_WITHOUT_CARRIER) return 'variation_selectors';
    }
    if (++row > UNSHOWN_IN_A_ROW) return 'zero_width';
  }
  return outOfPlace(text) ? 'zero_width' : undefined;
}

function nextUnshown(text: string, from: number): number {
  UNSHOWN.lastIndex = from;
  if (!UNSHOWN.test(text)) return -1;
  return startOf(text, UNSHOWN.lastIndex);
}

/** Where the character starts that ends at an index; the second half of a pair has a first, or counts for one itself. */
const startOf = (text: string, end: number): number => (text.codePointAt(end - 2)! > 0xffff ? end - 2 : end - 1);

/** All of plane 14 but the variation selectors in it: tags, and what Unicode keeps for characters that show nothing. */
const isTag = (code: number): boolean => code >= 0xe0000 && code <= 0xe0fff && !isVariationSelector(code);

const isVariationSelector = (code: number): boolean =>
  (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef);

const BLACK_FLAG = '\u{1f3f4}';
/** The tags behind a black flag, of the only subdivisions that have one (emoji-sequences.txt): any other would be a word. */
const FLAGS = ['gbeng', 'gbsct', 'gbwls'].map(
  (region) => [...region].map((each) => String.fromCodePoint(0xe0000 + each.charCodeAt(0))).join('') + '\u{e007f}',
);

/** As text or as emoji, VS15 and VS16; keyboards put the latter behind other signs too. */
const EMOJI = /^(?:\p{Emoji}|(?![\0-\x7f])\p{S})$/u;
/** What StandardizedVariants.txt gives variants VS1 to VS14: signs, East Asian marks, and letters of a few scripts. */
const STANDARDIZED =
  /^(?:(?![\0-\x7f])\p{S}|[0\u2018-\u201d\u3001\u3002\uff01-\uff1f]|\p{Ideographic}|\p{Script=Myanmar}|\p{Script=Phags_Pa}|\p{Script=Manichaean}|\p{Script=Egyptian_Hieroglyphs})$/u;
const IDEOGRAPH = /^\p{Ideographic}$/u;
/** The Ideographic Variation Database has some 32 forms of its richest character: with all 240, each would carry a letter. */
const LAST_IDEOGRAPHIC_SELECTOR = 0xe012f;

/** Is the character before a selector one that has such variants? */
function carries(text: string, at: number, selector: number): boolean {
  const carrier = text.slice(startOf(text, at), at);
  if (selector > 0xffff) return selector <= LAST_IDEOGRAPHIC_SELECTOR && IDEOGRAPH.test(carrier);
  return selector >= 0xfe0e ? EMOJI.test(carrier) : STANDARDIZED.test(carrier);
}

/** Of what shows nothing, selectors and tags aside, for which there are rules of their own. */
const RUNS = /(?:(?![\ufe00-\ufe0f\u{e0000}-\u{e0fff}])[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb])+/gu;

function outOfPlace(text: string): boolean {
  const most = UNSHOWN_OUT_OF_PLACE + Math.floor(text.length / UNITS_FOR_ONE_MORE);
  let hasRightToLeft: boolean | undefined;
  let strays = 0;
  for (const { 0: run, index } of text.matchAll(RUNS)) {
    const place = placeOf(text, index, index + run.length);
    if (HOME.test(place.before) || HOME.test(place.after) || isInPlace(run, place)) continue;
    hasRightToLeft ??= RIGHT_TO_LEFT.test(text);
    if (hasRightToLeft && atEdge(place) && BOTH_DIRECTIONS.test(run)) continue;
    strays += [...run].length;
    if (strays > most) return true;
  }
  return false;
}

/** The characters that show on either side; empty at the ends of the text. */
interface Place {
  readonly before: string;
  readonly after: string;
}

function placeOf(text: string, from: number, to: number): Place {
  // a selector belongs to the character that it follows
  const end = from > 1 && /[\ufe00-\ufe0f]/.test(text.charAt(from - 1)) ? from - 1 : from;
  const after = text.codePointAt(to);
  return {
    before: end === 0 ? '' : text.slice(startOf(text, end), end),
    after: after === undefined ? '' : String.fromCodePoint(after),
  };
}

const RIGHT_TO_LEFT = /[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/**
 * Of scripts that are written with joiners, spaces of no width, vowels or selectors that show nothing: all but those below.
 * Danda, jamo (which have fillers) and musical notation besides.
 */
const HOME =
  /^(?:[^\p{Script=Common}\p{Script=Inherited}\p{C}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Georgian}\p{Script=Cherokee}\p{Script=Ethiopic}\p{Script=Braille}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}]|[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u0964\u0965\u1100-\u11ff\u{1d100}-\u{1d1ff}])$/u;
const EAST_ASIAN =
  /^[\p{Script_Extensions=Han}\p{Script_Extensions=Hiragana}\p{Script_Extensions=Katakana}\p{Script_Extensions=Hangul}\p{Script_Extensions=Bopomofo}\uff00-\uffef]$/u;
const PICTURE = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}]$/u;
const IN_WORDS = /^[\p{L}\p{M}\p{N}]$/u;

/** The end of an embedding or isolate, a mark, the start of one: at most one of each, as around names and telephone numbers. */
const LEFT_TO_RIGHT = /^[\u202c\u2069]?\u200e?[\u202a\u202d\u2066\u2068]?$/;
const BOTH_DIRECTIONS = /^[\u202c\u2069]?[\u200e\u200f\u061c]?[\u202a\u202b\u202d\u202e\u2066-\u2068]?$/;

const atEdge = ({ before, after }: Place): boolean => !IN_WORDS.test(before) || !IN_WORDS.test(after);

/** What a single one is for in the scripts that have no joiners. */
function isInPlace(run: string, place: Place): boolean {
  const { before, after } = place;
  // where a word may be broken; also what copying from a PDF makes of hyphens
  if (run === '\u00ad') return IN_WORDS.test(before);
  // where a line may be broken
  if (run === '\u200b') return EAST_ASIAN.test(before) || EAST_ASIAN.test(after);
  if (run === '\u200d') return PICTURE.test(before) || PICTURE.test(after);
  // keeps a ligature from the seam of a German compound
  if (run === '\u200c') return before === 'f';
  return atEdge(place) && LEFT_TO_RIGHT.test(run);
}

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
