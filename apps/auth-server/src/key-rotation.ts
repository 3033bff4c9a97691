import type { SigningAlgorithm } from '@portcullis/scopes/algorithms';
import type { KeyState } from './signing-keys.js';

/*
 * The life of a signing key, as one table:
 *
 *   next      published, does not sign     for PUBLISH_AHEAD_MS at least
 *   active    published, signs             until it is rotated
 *   retiring  published, signs no more     until KEPT_MS after its successor began
 *   (gone)
 *
 * So a verifier that fetches the key set as often as its Cache-Control asks knows each key before the first token that
 * the key signs, and until the last one has expired.
 */

const SECONDS = 1000;
const MINUTES = 60 * SECONDS;
const DAYS = 24 * 60 * MINUTES;

/** How long the key set may be cached, and so how long a key is published before it signs. */
export const PUBLISH_AHEAD_MS = 5 * MINUTES;
/**
 * A key that must sign sooner, since its predecessor is in wrong hands, is still published for this long: until every
 * replica serves it (they look every second), every fetch of the set that began before has ended (3 s at our verifiers),
 * and a verifier that has just fetched may fetch again (5 s at ours, so that forged key ids cannot drive it).
 */
export const NOTICE_MS = 10 * SECONDS;
/** The longest life of a token (60 minutes, see TOKEN_LIFE_MINUTES), and 5 for clocks that differ and replicas that lag. */
export const KEPT_MS = 65 * MINUTES;
/**
 * How many keys of one algorithm may be kept for their tokens before another rotation can be asked for: each makes the key
 * set longer, and verifiers read no more of it than 256 KiB. The schedule stays far below.
 */
export const MOST_RETIRING = 8;

export interface RotatingKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly state: KeyState;
  /** ms since epoch; when it may sign (`next`), or when it began to */
  readonly notBefore: number;
  /** ms since epoch; when it is taken out of the key set */
  readonly notAfter: number | undefined;
}

/** What is to become of the keys. Which key is added is for whoever can make one. */
export interface Rotation {
  readonly add: readonly { readonly alg: SigningAlgorithm; readonly state: KeyState; readonly notBefore: number }[];
  /** in this order, so that no algorithm ever has two active keys */
  readonly move: readonly Pick<RotatingKey, 'kid' | 'state' | 'notBefore' | 'notAfter'>[];
  readonly remove: readonly string[];
}

/** The next key has not been published for long enough, or too many old ones are. */
export interface TooSoon {
  /** ms since epoch; from then on the rotation goes through */
  readonly possibleAt: number;
  readonly why: 'not_announced' | 'too_many_retiring';
}

/**
 * What is due by itself: first keys, successors, a rotation by schedule, keys whose last token has expired.
 * @param inUse     the algorithms that tokens are signed with
 * @param everyDays how long a key signs; 0 = until somebody rotates it. An algorithm that is no longer in use ends with
 *                  its key's turn, not at once: a replica that was not told yet may still use it
 * @param now       ms since epoch
 * @returns undefined when nothing is
 */
export function rotationDue(
  keys: readonly RotatingKey[],
  inUse: readonly SigningAlgorithm[],
  everyDays: number,
  now: number,
): Rotation | undefined {
  // nobody can have fetched a key set before the first key was made, so the first ones need not be announced
  if (keys.length === 0) {
    const add = inUse.flatMap((alg) => [added(alg, 'active', now), added(alg, 'next', now)]);
    return add.length === 0 ? undefined : { add, move: [], remove: [] };
  }
  const expired = keys.filter(
    ({ state, notAfter }) => state === 'retiring' && notAfter !== undefined && notAfter <= now,
  );
  const old = ({ notBefore }: RotatingKey): boolean => everyDays > 0 && now - notBefore >= everyDays * DAYS;
  return joined([
    { ...NOTHING, remove: expired.map(({ kid }) => kid) },
    ...algorithmsOf(keys, inUse).map((alg) => {
      const { active, next } = placesOf(keys, alg);
      const newest = active ?? next;
      if (!inUse.includes(alg)) return newest && old(newest) ? ended(active, next, now) : NOTHING;
      if (next === undefined) return { ...NOTHING, add: [added(alg, 'next', now + PUBLISH_AHEAD_MS)] };
      return next.notBefore <= now && (active === undefined || old(active)) ? succeeded(active, next, now) : NOTHING;
    }),
  ]);
}

/**
 * A rotation that somebody asks for.
 * @param alg   only the keys of this algorithm; undefined = of all
 * @param early the next key may sign although not every cache of the key set has it: what a verifier that does not fetch
 *              again for an unknown key id then loses is PUBLISH_AHEAD_MS at most
 * @param now   ms since epoch
 * @returns undefined when there is no key to rotate
 */
export function rotationAsked(
  keys: readonly RotatingKey[],
  inUse: readonly SigningAlgorithm[],
  { alg, early }: { readonly alg?: SigningAlgorithm | undefined; readonly early: boolean },
  now: number,
): Rotation | TooSoon | undefined {
  const asked = algorithmsOf(keys, inUse)
    .filter((each) => alg === undefined || each === alg)
    .map((each) => ({ used: inUse.includes(each), ...placesOf(keys, each) }))
    // an algorithm that has not begun yet has nothing to rotate
    .filter(({ active }) => active !== undefined);
  if (asked.length === 0) return undefined;
  // one without a successor is given one within a second, and that needs to be published first
  const possibleAt = Math.max(
    ...asked
      .filter(({ used }) => used)
      .map(({ next }) => (next?.notBefore ?? now + PUBLISH_AHEAD_MS) - (early ? PUBLISH_AHEAD_MS - NOTICE_MS : 0)),
  );
  if (possibleAt > now) return { possibleAt, why: 'not_announced' };
  const roomAt = Math.max(now, ...asked.map(({ retiring }) => retiring.at(-MOST_RETIRING)?.notAfter ?? now));
  if (roomAt > now) return { possibleAt: roomAt, why: 'too_many_retiring' };
  return joined(
    asked.map(({ active, next, used }) => (next && used ? succeeded(active, next, now) : ended(active, next, now))),
  );
}

const NOTHING: Rotation = { add: [], move: [], remove: [] };

const added = (alg: SigningAlgorithm, state: KeyState, notBefore: number): Rotation['add'][number] => ({
  alg,
  state,
  notBefore,
});

/** `next` signs from now on, and gets a successor; `active` is kept until what it signed has expired. */
const succeeded = (active: RotatingKey | undefined, next: RotatingKey, now: number): Rotation => ({
  add: [added(next.alg, 'next', now + PUBLISH_AHEAD_MS)],
  move: [
    ...(active ? [retired(active, now)] : []),
    { kid: next.kid, state: 'active', notBefore: now, notAfter: undefined },
  ],
  remove: [],
});

const ended = (active: RotatingKey | undefined, next: RotatingKey | undefined, now: number): Rotation => ({
  add: [],
  move: active ? [retired(active, now)] : [],
  remove: next ? [next.kid] : [],
});

const retired = ({ kid, notBefore }: RotatingKey, now: number): Rotation['move'][number] => ({
  kid,
  state: 'retiring',
  notBefore,
  notAfter: now + KEPT_MS,
});

const placesOf = (keys: readonly RotatingKey[], alg: SigningAlgorithm) => {
  const at = (state: KeyState) => keys.filter((key) => key.alg === alg && key.state === state);
  const retiring = at('retiring').sort((a, b) => (a.notAfter ?? Infinity) - (b.notAfter ?? Infinity));
  return { active: at('active')[0], next: at('next')[0], retiring };
};

const algorithmsOf = (keys: readonly RotatingKey[], inUse: readonly SigningAlgorithm[]): SigningAlgorithm[] => [
  ...new Set([...inUse, ...keys.map(({ alg }) => alg)]),
];

function joined(rotations: readonly Rotation[]): Rotation | undefined {
  const whole = {
    add: rotations.flatMap(({ add }) => add),
    move: rotations.flatMap(({ move }) => move),
    remove: rotations.flatMap(({ remove }) => remove),
  };
  return whole.add.length + whole.move.length + whole.remove.length > 0 ? whole : undefined;
}
