import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '@portcullis/scopes/algorithms';
import { TIMEOUT_MS, UNKNOWN_COOLDOWN_MS } from '@portcullis/guard/jwks.http';
import fc from 'fast-check';
import {
  KEPT_MS,
  MOST_RETIRING,
  NOTICE_MS,
  PUBLISH_AHEAD_MS,
  rotationAsked,
  rotationDue,
  type RotatingKey,
  type Rotation,
} from './key-rotation.js';

const NOW = Date.UTC(2026, 10, 21);
const DAY = 24 * 60 * 60_000;
const LONGEST_TOKEN = 60 * 60_000;

let made = 0;
/** What a store does with a rotation. */
function apply(keys: readonly RotatingKey[], { add, move, remove }: Rotation): RotatingKey[] {
  const moved = keys
    .filter(({ kid }) => !remove.includes(kid))
    .map((key) => ({ ...key, ...move.find(({ kid }) => kid === key.kid) }));
  return [...moved, ...add.map((key) => ({ ...key, kid: `k${(made += 1)}`, notAfter: undefined }))];
}
const settled = (keys: readonly RotatingKey[], inUse: readonly SigningAlgorithm[], days: number, now: number) => {
  const rotation = rotationDue(keys, inUse, days, now);
  return rotation ? apply(keys, rotation) : keys;
};
const shown = (keys: readonly RotatingKey[]) => keys.map(({ alg, state }) => `${alg} ${state}`).sort();
const first = () => settled([], ['ES256'], 30, NOW);
const asked = (keys: readonly RotatingKey[], now: number, more: { early?: boolean; alg?: SigningAlgorithm } = {}) =>
  rotationAsked(keys, ['ES256'], { early: false, ...more }, now);
const rotated = (keys: readonly RotatingKey[], now: number, early = false) => {
  const rotation = asked(keys, now, { early });
  if (rotation === undefined || 'possibleAt' in rotation) throw new Error('not rotated');
  return apply(keys, rotation);
};

test('the first start makes a key that signs and one that will, and that one may at once', () => {
  const keys = settled([], ['ES256', 'EdDSA'], 30, NOW);
  expect(shown(keys)).toEqual(['ES256 active', 'ES256 next', 'EdDSA active', 'EdDSA next']);
  expect(new Set(keys.map(({ notBefore }) => notBefore))).toEqual(new Set([NOW]));
  expect(rotationDue(keys, ['ES256', 'EdDSA'], 30, NOW)).toBeUndefined();
});

test('a rotation: the next key signs, the last one stays for its tokens, a new one is announced', () => {
  const before = first();
  const after = rotated(before, NOW + 1);
  const kidOf = (keys: readonly RotatingKey[], state: string) => keys.find((key) => key.state === state)?.kid;
  expect(kidOf(after, 'active')).toBe(kidOf(before, 'next'));
  expect(kidOf(after, 'retiring')).toBe(kidOf(before, 'active'));
  expect(after).toContainEqual(expect.objectContaining({ state: 'retiring', notAfter: NOW + 1 + KEPT_MS }));
  expect(after).toContainEqual(expect.objectContaining({ state: 'next', notBefore: NOW + 1 + PUBLISH_AHEAD_MS }));
  expect(after).toContainEqual(expect.objectContaining({ state: 'active', notBefore: NOW + 1 }));
});

test('a second one is too soon until the next key has been published for as long as a key set is cached', () => {
  const keys = rotated(first(), NOW);
  expect(asked(keys, NOW)).toEqual({ possibleAt: NOW + PUBLISH_AHEAD_MS, why: 'not_announced' });
  expect(asked(keys, NOW + PUBLISH_AHEAD_MS - 1)).toEqual({ possibleAt: NOW + PUBLISH_AHEAD_MS, why: 'not_announced' });
  expect(shown(rotated(keys, NOW + PUBLISH_AHEAD_MS))).toEqual([
    'ES256 active',
    'ES256 next',
    'ES256 retiring',
    'ES256 retiring',
  ]);
});

test('an early one needs ten seconds', () => {
  const keys = rotated(first(), NOW);
  expect(asked(keys, NOW + NOTICE_MS - 1, { early: true })).toEqual({
    possibleAt: NOW + NOTICE_MS,
    why: 'not_announced',
  });
  expect(rotated(keys, NOW + NOTICE_MS, true)).toHaveLength(4);
});

test('however often that is asked for, eight keys of an algorithm are kept for their tokens, then one waits for the oldest', () => {
  let keys = first();
  for (let turn = 0; turn < MOST_RETIRING; turn += 1) keys = rotated(keys, NOW + turn * NOTICE_MS, true);
  const now = NOW + MOST_RETIRING * NOTICE_MS;
  expect(asked(keys, now, { early: true })).toEqual({ possibleAt: NOW + KEPT_MS, why: 'too_many_retiring' });
  expect(keys.filter(({ state }) => state === 'retiring')).toHaveLength(MOST_RETIRING);
  expect(shown(rotated(keys, NOW + KEPT_MS))).toContain('ES256 active');
});

test('verifiers of ours and all replicas keep up with that', () => {
  const replicasLookEvery = 1_000;
  // a fetch that began before the key was there, the pause after it, and two looks of a replica
  expect(NOTICE_MS).toBeGreaterThanOrEqual(TIMEOUT_MS + UNKNOWN_COOLDOWN_MS + 2 * replicasLookEvery);
});

test('an algorithm that has no key that signs cannot be rotated', () => {
  expect(asked(first(), NOW, { alg: 'RS256' })).toBeUndefined();
  expect(asked([], NOW)).toBeUndefined();
});

test('one algorithm alone is rotated when that is asked for', () => {
  const keys = settled([], ['ES256', 'EdDSA'], 30, NOW);
  const rotation = rotationAsked(keys, ['ES256', 'EdDSA'], { alg: 'EdDSA', early: false }, NOW) as Rotation;
  expect(shown(apply(keys, rotation))).toEqual([
    'ES256 active',
    'ES256 next',
    'EdDSA active',
    'EdDSA next',
    'EdDSA retiring',
  ]);
});

test('a key signs for its days, then its successor takes over by itself; with 0 days it never does', () => {
  const keys = first();
  expect(rotationDue(keys, ['ES256'], 30, NOW + 30 * DAY - 1)).toBeUndefined();
  expect(shown(settled(keys, ['ES256'], 30, NOW + 30 * DAY))).toEqual(['ES256 active', 'ES256 next', 'ES256 retiring']);
  expect(rotationDue(keys, ['ES256'], 0, NOW + 3000 * DAY)).toBeUndefined();
});

test('a retired key goes when its last token has expired', () => {
  const keys = rotated(first(), NOW);
  expect(rotationDue(keys, ['ES256'], 30, NOW + KEPT_MS - 1)).toBeUndefined();
  expect(shown(settled(keys, ['ES256'], 30, NOW + KEPT_MS))).toEqual(['ES256 active', 'ES256 next']);
});

test('the one key of an older version gets a successor', () => {
  const old: RotatingKey = { kid: 'old', alg: 'ES256', state: 'active', notBefore: NOW - DAY, notAfter: undefined };
  const keys = settled([old], ['ES256'], 30, NOW);
  expect(keys).toContainEqual(expect.objectContaining({ state: 'next', notBefore: NOW + PUBLISH_AHEAD_MS }));
  expect(keys[0]).toEqual(old);
});

test('a new algorithm is published before it signs, and one that nobody uses any more ends with the turn of its key', () => {
  let keys = settled(first(), ['ES256', 'EdDSA'], 30, NOW + 1);
  expect(shown(keys)).toEqual(['ES256 active', 'ES256 next', 'EdDSA next']);
  keys = settled(keys, ['ES256', 'EdDSA'], 30, NOW + 1 + PUBLISH_AHEAD_MS);
  expect(shown(keys)).toEqual(['ES256 active', 'ES256 next', 'EdDSA active', 'EdDSA next']);
  expect(rotationDue(keys, ['ES256'], 30, NOW + DAY)).toBeUndefined();
  const end = NOW + 31 * DAY;
  expect(shown(settled(keys, ['ES256'], 30, end)).filter((key) => key.startsWith('EdDSA'))).toEqual(['EdDSA retiring']);
  const rotation = asked(keys, NOW + DAY) as Rotation;
  expect(shown(apply(keys, rotation)).filter((key) => key.startsWith('EdDSA'))).toEqual(['EdDSA retiring']);
});

/** Whatever is asked for and whenever: a history of the key set, with what signed at each moment. */
test('whatever happens, a key is published before it signs and until its last token has expired', () => {
  const step = fc.record({
    wait: fc.oneof(
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 0, max: 2 * KEPT_MS }),
      fc.integer({ min: 0, max: 40 * DAY }),
    ),
    what: fc.constantFrom('tick', 'rotate', 'early') as fc.Arbitrary<'tick' | 'rotate' | 'early'>,
    alg: fc.option(fc.constantFrom(...SIGNING_ALGORITHMS), { nil: undefined }),
    inUse: fc
      .subarray(['RS256', 'EdDSA'] as SigningAlgorithm[])
      .map((more) => ['ES256', ...more] as SigningAlgorithm[]),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 1, 30), (steps, days) => {
      let now = NOW;
      let keys: readonly RotatingKey[] = [];
      const published = new Map<string, number>();
      /** when a token that this key signed last expires, by the key */
      const lastToken = new Map<string, number>();
      /** older than any key set that anybody has */
      let firsts: ReadonlySet<string> = new Set();
      const see = (early: boolean): void => {
        const begun = published.size > 0;
        for (const alg of SIGNING_ALGORITHMS) {
          for (const state of ['active', 'next']) {
            expect(keys.filter((key) => key.alg === alg && key.state === state).length).toBeLessThanOrEqual(1);
          }
        }
        expect(shown(keys)).toEqual(expect.arrayContaining(['ES256 active', 'ES256 next']));
        for (const { kid, state } of keys) {
          const known = published.get(kid);
          if (state === 'active' && begun && !lastToken.has(kid)) {
            const ahead = early ? NOTICE_MS : PUBLISH_AHEAD_MS;
            if (!firsts.has(kid)) expect(now - (known ?? now)).toBeGreaterThanOrEqual(ahead);
          }
          if (state === 'active') lastToken.set(kid, now + LONGEST_TOKEN);
          published.set(kid, known ?? now);
        }
        const kids = new Set(keys.map(({ kid }) => kid));
        for (const [kid, until] of lastToken) if (now < until) expect(kids).toContain(kid);
      };
      keys = settled(keys, ['ES256'], days, now);
      firsts = new Set(keys.map(({ kid }) => kid));
      see(false);
      for (const { wait, what, alg, inUse } of steps) {
        // what signs keeps signing until the moment of the change
        now += wait;
        for (const { kid, state } of keys) if (state === 'active') lastToken.set(kid, now + LONGEST_TOKEN);
        const rotation =
          what === 'tick'
            ? rotationDue(keys, inUse, days, now)
            : rotationAsked(keys, inUse, { alg, early: what === 'early' }, now);
        if (rotation !== undefined && !('possibleAt' in rotation)) keys = apply(keys, rotation);
        see(what === 'early');
      }
    }),
    { numRuns: 500 },
  );
});
