import { SIGNING_ALGORITHMS } from '@portcullis/scopes/algorithms';
import { ApiProblem } from '@portcullis/service/problem';
import * as z from 'zod';
import { MOST_RETIRING, NOTICE_MS } from './key-rotation.js';
import type { RotationOutcome } from './key-upkeep.js';
import type { StoredKey } from './signing-keys.js';

/** `now`: the present key is in wrong hands, so its successor signs although not every cache has seen it yet. */
export const rotationBody = z.strictObject({
  alg: z.enum(SIGNING_ALGORITHMS).optional(),
  now: z.boolean().default(false),
});

/** A key as the API shows it; times are RFC 3339. The private half is nowhere in it. */
export const keyView = ({ kid, alg, state, notBefore, notAfter }: StoredKey) => ({
  kid,
  alg,
  state,
  notBefore: new Date(notBefore).toISOString(),
  notAfter: notAfter === undefined ? null : new Date(notAfter).toISOString(),
});

/** The issuer's signing keys are few, so this list has one page. */
export const keyList = (keys: readonly StoredKey[]) => ({ items: keys.map(keyView), next_cursor: null });

/**
 * What a rotation that did not happen amounts to.
 * @param early whether it was asked to happen at once
 * @param now   ms since epoch
 */
export function notRotated(
  { tooSoon }: Extract<RotationOutcome, { done: false }>,
  early: boolean,
  now: number,
): ApiProblem {
  if (tooSoon === undefined) return new ApiProblem(404, 'not_found', 'No key of that algorithm signs.');
  const time = new Date(tooSoon.possibleAt).toISOString();
  const notAnnounced = early
    ? `The next key was made less than ${NOTICE_MS / 1000} seconds ago, and not every replica serves it yet.`
    : 'The next key has not been published for long enough: verifiers may still keep a key set without it.';
  const why =
    tooSoon.why === 'not_announced'
      ? notAnnounced
      : `There are ${MOST_RETIRING} keys of that algorithm already that are published for the tokens they signed.`;
  const retryAfterMs = Math.max(1, tooSoon.possibleAt - now);
  return new ApiProblem(409, 'too_soon', `${why} This works from ${time} on.`, { retryAfterMs });
}
