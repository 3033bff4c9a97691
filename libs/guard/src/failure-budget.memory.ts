import { Refusal } from '@portcullis/contract/refusals';
import type { FailureBudget } from './credentials.js';

export interface FailureBudgetBounds {
  /** failures that an owner may have within any minute */
  readonly perMinute: number;
  /** owners that are remembered; the one who failed longest ago makes room */
  readonly owners: number;
  /** those of one owner who wait */
  readonly waiting: number;
}
export const FAILURE_BUDGET_BOUNDS: FailureBudgetBounds = { perMinute: 60, owners: 10_000, waiting: 1_000 };
const MINUTE_MS = 60_000;

interface Account {
  /** ms since epoch, oldest first; never more than `perMinute` */
  failedAt: number[];
  underWay: number;
  waiting: (() => void)[];
}

/**
 * Failures of the last minute, in the memory of this process, by whoever they count for. A try takes its place before it
 * is made and gives it back when it was no failure, so that many bad ones at once cost no more than as many in turn; many
 * good ones at once wait for each other and all pass.
 * @param now ms since epoch
 */
export function memoryFailureBudget(
  now: () => number,
  bounds: FailureBudgetBounds = FAILURE_BUDGET_BOUNDS,
): FailureBudget {
  /** whoever failed within the last minutes, the longest ago first */
  const failing = new Map<string, Account>();
  /** whoever tries now and is not among those: nobody has to be looked at to make room for them */
  const trying = new Map<string, Account>();

  const accountOf = (owner: string): Account => {
    let account = failing.get(owner) ?? trying.get(owner);
    if (account === undefined) trying.set(owner, (account = { failedAt: [], underWay: 0, waiting: [] }));
    return account;
  };

  const makeRoom = (): void => {
    const at = now();
    for (const [oldest, { failedAt, underWay, waiting }] of failing) {
      // those who wait are told by their own account only
      if (underWay > 0 || waiting.length > 0) continue;
      const last = failedAt.at(-1) ?? 0;
      if (at - last < MINUTE_MS && failing.size < bounds.owners) break;
      failing.delete(oldest);
    }
  };

  /** @throws Refusal rate_limited */
  const roomIn = (owner: string, account: Account): boolean => {
    const at = now();
    // a clock that stepped back tells nothing of what failed before
    account.failedAt = account.failedAt.filter((failed) => failed <= at && at - failed < MINUTE_MS);
    const [first] = account.failedAt;
    if (first !== undefined && account.failedAt.length >= bounds.perMinute) {
      const facts = { limitType: 'failures', remaining: 0, retryAfterMs: first + MINUTE_MS - at };
      throw new Refusal('rate_limited', facts, { detail: `too many failures of ${owner}` });
    }
    return account.failedAt.length + account.underWay < bounds.perMinute;
  };

  const left = (owner: string, account: Account): void => {
    account.underWay -= 1;
    const { failedAt, underWay, waiting } = account;
    const spent = failedAt.length >= bounds.perMinute;
    // when there is nothing left to wait for, all go on to be refused
    for (const go of waiting.splice(0, spent ? waiting.length : bounds.perMinute - failedAt.length - underWay)) go();
    if (underWay > 0 || failedAt.length > 0 || waiting.length > 0) return;
    trying.delete(owner);
    failing.delete(owner);
  };

  const failed = (owner: string, account: Account): void => {
    account.failedAt.push(now());
    trying.delete(owner);
    failing.delete(owner);
    makeRoom();
    failing.set(owner, account);
  };

  const waited = async (owner: string, { waiting }: Account): Promise<void> => {
    if (waiting.length >= bounds.waiting) {
      throw new Refusal('overloaded', { retryAfterMs: 1000 }, { detail: `too many of ${owner} wait` });
    }
    await new Promise<void>((resolve) => void waiting.push(resolve));
  };

  return {
    async attempt(owner, work, isFailure) {
      let account = accountOf(owner);
      while (!roomIn(owner, account)) {
        await waited(owner, account);
        account = accountOf(owner);
      }
      account.underWay += 1;
      try {
        return await work();
      } catch (error) {
        if (isFailure(error)) failed(owner, account);
        throw error;
      } finally {
        left(owner, account);
      }
    },
  };
}
