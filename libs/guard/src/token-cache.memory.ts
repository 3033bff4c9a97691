import type { Caller } from '@portcullis/scopes/caller';
import { Refusal } from '@portcullis/contract/refusals';
import type { VerifiedTokens } from './credentials.js';
import { CLOCK_SKEW, verifyAccessToken, type TokenRules } from './token.js';

/** Tokens that are kept at most. About 1 KiB each. */
export const TOKENS_KEPT = 20_000;
/** So long a token is kept at most when its keys do not say whether one was withdrawn. */
const UNTOLD_MS = 10 * 60_000;
/** How far room for a new token is looked for among the oldest. */
const LOOK_AT = 8;

interface Entry {
  readonly caller: Caller;
  /** ms since epoch */
  readonly until: number;
  /** how many keys had been withdrawn before it was verified */
  readonly withdrawals: number;
  /** asked for since room was last looked for */
  used: boolean;
}

/**
 * Verified tokens in the memory of this process, by their digests: no token is kept, and SHA-256 costs less than V8's own
 * hash of a text that long (0.9 against 1.3 µs). They are kept until they expire, until a key is withdrawn (whichever
 * it is: those that are good by another are verified anew), or until newer ones need the room; of the oldest few the first
 * that nobody asked for meanwhile goes (second chance). What is no good is not kept: it draws on a budget of failures.
 * Revocation and standing are nothing a token says, so they are asked elsewhere on every call.
 */
export function memoryTokenCache(rules: TokenRules, kept = TOKENS_KEPT): VerifiedTokens {
  const { keys, now } = rules;
  const entries = new Map<string, Entry>();
  const underWay = new Map<string, Promise<Caller>>();
  const withdrawals = keys.withdrawals ?? (() => 0);

  const good = (ath: string, entry: Entry): Caller | undefined => {
    if (entry.until <= now() || entry.withdrawals !== withdrawals()) {
      entries.delete(ath);
      return undefined;
    }
    if (!entry.used) entry.used = true;
    return entry.caller;
  };

  const makeRoom = (): void => {
    const at = now();
    let looked = 0;
    for (const [ath, entry] of entries) {
      looked += 1;
      const over = entry.until <= at;
      if (!over && entries.size < kept) return;
      entries.delete(ath);
      if (over && looked < LOOK_AT) continue;
      if (over || !entry.used || looked >= LOOK_AT) return;
      entry.used = false;
      entries.set(ath, entry);
    }
  };

  const keep = (ath: string, verified: Caller, before: number): Caller => {
    makeRoom();
    const caller = Object.freeze(verified);
    const expires = (caller.expiresAt + CLOCK_SKEW) * 1000;
    const until = keys.withdrawals === undefined ? Math.min(expires, now() + UNTOLD_MS) : expires;
    entries.set(ath, { caller, until, withdrawals: before, used: false });
    return caller;
  };

  return {
    known(ath) {
      const entry = entries.get(ath);
      if (entry === undefined) return undefined;
      const fetched = keys.fresh?.();
      return fetched === undefined ? good(ath, entry) : fetched.then(() => good(ath, entry), cannotSay);
    },
    verify(token, ath) {
      const joined = underWay.get(ath);
      if (joined !== undefined) return joined;
      const before = withdrawals();
      const verified = verifyAccessToken(token, rules)
        .then((caller) => keep(ath, caller, before))
        .finally(() => underWay.delete(ath));
      underWay.set(ath, verified);
      return verified;
    },
  };
}

function cannotSay(cause: unknown): never {
  throw new Refusal('overloaded', { retryAfterMs: 1000 }, { cause });
}
