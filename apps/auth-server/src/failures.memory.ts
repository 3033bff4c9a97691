import { networkOf } from '@portcullis/guard/addresses';

/** A sign-in that may be tried. It counts as failed until one of these is called. */
export interface SignInTry {
  succeeded(): void;
  /** nothing was compared, and nothing was learnt */
  notMade(): void;
}

/** Counts sign-ins that fail, so that guessing costs time. One process's memory; bounded. */
export interface Failures {
  /**
   * Counts before anything is compared, so that of many at once no more are let through than of many in turn.
   * @param account whose password is tried, whether or not there is such an account
   * @returns ms until it may be tried, or the try
   */
  begin(address: string, account: string, now: number): number | SignInTry;
}

/** What one network may get wrong within a window. */
const WINDOW_MS = 5 * 60_000;
const MOST_OF_NETWORK = 30;
/** What may go wrong at one account, from wherever, before each further try costs a pause: of 1 s, then twice as long. */
const FREE_OF_ACCOUNT = 10;
/** Short, since whoever guesses makes the account's owner wait too. */
const LONGEST_PAUSE_MS = 30_000;
const ACCOUNT_FORGOTTEN_MS = 15 * 60_000;
const MOST_KEPT = 10_000;

interface Count {
  /** ms since epoch: a window's begin; the last try of an account */
  at: number;
  failed: number;
}

export function memoryFailures(): Failures {
  const networks = new Map<string, Count>();
  const accounts = new Map<string, Count>();
  return {
    begin(address, account, now) {
      const network = networkOf(address);
      const ofNetwork = current(networks, network, now - WINDOW_MS) ?? { at: now, failed: 0 };
      const ofAccount = current(accounts, account, now - ACCOUNT_FORGOTTEN_MS) ?? { at: now, failed: 0 };
      const full = ofNetwork.failed >= MOST_OF_NETWORK ? ofNetwork.at + WINDOW_MS - now : 0;
      const wait = Math.max(full, ofAccount.at + pauseAfter(ofAccount.failed) - now);
      if (wait > 0) return wait;
      const before = ofAccount.at;
      ofNetwork.failed += 1;
      ofAccount.failed += 1;
      ofAccount.at = now;
      keep(networks, network, ofNetwork);
      keep(accounts, account, ofAccount);
      return {
        succeeded() {
          ofNetwork.failed -= 1;
          if (accounts.get(account) === ofAccount) accounts.delete(account);
        },
        notMade() {
          ofNetwork.failed -= 1;
          ofAccount.failed -= 1;
          ofAccount.at = before;
        },
      };
    },
  };
}

/** ms that must pass after so many failed tries at one account */
const pauseAfter = (failed: number): number =>
  failed < FREE_OF_ACCOUNT ? 0 : Math.min(1000 * 2 ** (failed - FREE_OF_ACCOUNT), LONGEST_PAUSE_MS);

function current(counts: ReadonlyMap<string, Count>, key: string, since: number): Count | undefined {
  const count = counts.get(key);
  return count !== undefined && count.at > since ? count : undefined;
}

/** The one that has been quiet for longest makes room. */
function keep(counts: Map<string, Count>, key: string, count: Count): void {
  counts.delete(key);
  counts.set(key, count);
  const oldest = counts.keys().next().value;
  if (counts.size > MOST_KEPT && oldest !== undefined) counts.delete(oldest);
}
