import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';

const ASK_A_PERSON =
  'Only a person who signs in can do this. A client without a person cannot, whatever token it gets: do not try again, ask a person to do it in a client where people sign in.';

/**
 * Refuses who did not sign in of late. A person can sign in again and is told how fresh it must be; to a client that has no
 * person the same answer says in words that no token will help, since its own loop of asking for tokens would never end.
 * @param maxAge seconds
 * @param scopes those of the operation: who signs in again asks for them in one go
 * @param now    ms since epoch
 * @throws Refusal login_too_old
 * @see RFC 9470 §3
 */
export function refuseOldLogin(
  { sub, authTime }: Pick<Caller, 'sub' | 'authTime'>,
  maxAge: number,
  scopes: readonly string[],
  now: number,
): void {
  if (sub !== undefined && authTime !== undefined && now / 1000 - authTime <= maxAge) return;
  const hint = sub === undefined ? ASK_A_PERSON : `Sign in again: that may be at most ${maxAge} seconds ago.`;
  throw new Refusal('login_too_old', { scopes, maxAge, hint });
}
