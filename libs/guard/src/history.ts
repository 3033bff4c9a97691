import type { PrincipalId } from '@portcullis/contract/ids';
import { TASK_HOURS } from '@portcullis/scopes/customer-budgets';

/** What a call can find in an output and leave on its task and its principal. */
export const LABELS = ['hostile'] as const;
export type Label = (typeof LABELS)[number];

/** Whose history: the principal's, and the task's where its token names one. */
export interface Doer {
  readonly principal: PrincipalId;
  /** undefined = the principal's rolling hour is the task */
  readonly task: string | undefined;
}

/** What one call adds. */
export interface Mark {
  /** a tool that the chain table watches, about to be executed */
  readonly tool?: string;
  /** the customers it touches or shows, in any order, with repetitions */
  readonly customers?: readonly string[];
  readonly labels?: readonly Label[];
}

/** How many distinct customers may be touched; integers. */
export interface CustomerBudgets {
  /** in one task; not asked where there is none */
  readonly perTask: number;
  /** by one principal in any hour, over all its tasks */
  readonly perHour: number;
}

/** What was done, and when last: ms since epoch. */
export interface Trail {
  readonly began: ReadonlyMap<string, number>;
  readonly labels: ReadonlyMap<Label, number>;
}

/** Both are asked of every call, so a token with another task launders nothing. */
export interface Past {
  readonly task: Trail;
  readonly principal: Trail;
}

/**
 * `over_budget`: nothing was taken. `taken`: all of it was.
 */
export type Taken = 'taken' | 'over_budget';

/**
 * What tasks and principals did, as far as later calls hang on it. Kept per task until it ends, and per principal over a
 * rolling hour. Each variant must pass history.contract.ts. Answers at once where it can, since it is asked on every call.
 */
export interface History {
  /**
   * What was done before; being asked keeps a task from falling idle.
   * @returns as it is now, to be read before anything else happens
   */
  pastOf(tenant: string, who: Doer): Past | Promise<Past>;
  /**
   * Adds a mark, whole or not at all, in one step with asking the budgets. Those are about customers that are new: whoever
   * was touched already stays within them.
   * @throws Refusal overloaded when no more can be kept: what cannot be kept cannot be let in, and nothing is forgotten
   *   to make room
   */
  take(tenant: string, who: Doer, mark: Mark, budgets: CustomerBudgets): Taken | Promise<Taken>;
}

const MINUTES = 60_000;
/** A principal's history reaches back so far. */
export const HOUR_MS = 60 * MINUTES;
export const TASK_IDLE_MS = 30 * MINUTES;
export const TASK_LIFE_MS = TASK_HOURS.person * HOUR_MS;

/** When a task began and when it was last heard of; ms since epoch. */
export interface TaskTimes {
  readonly startedAt: number;
  readonly lastAt: number;
}
/** A task ends after 30 idle minutes or 8 hours; whoever comes with its name afterwards begins another. */
export const hasEnded = ({ startedAt, lastAt }: TaskTimes, now: number): boolean =>
  now >= lastAt + TASK_IDLE_MS || now >= startedAt + TASK_LIFE_MS;

/** How much a variant keeps in all, or as much as its server has room for. One tenant gets at most half of each. */
export interface HistoryBounds {
  readonly principals: number;
  readonly tasks: number;
  /**
   * of one principal, those that have ended and are not forgotten yet included; as many as 60 requests a minute, each with
   * another task, name until the first of them falls idle
   */
  readonly tasksPerPrincipal: number;
  /** remembered customers, over all tasks and principals */
  readonly customers: number;
}
export const HISTORY_BOUNDS: HistoryBounds = {
  principals: 50_000,
  tasks: 100_000,
  tasksPerPrincipal: 1_800,
  customers: 1_000_000,
};
