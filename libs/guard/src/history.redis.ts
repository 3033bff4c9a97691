import { Refusal } from '@portcullis/contract/refusals';
import type { KeyedId } from '@portcullis/redis/keyed-id';
import { perTurn } from '@portcullis/redis/per-turn.redis';
import type { Redis } from '@portcullis/redis/redis';
import { refusedByAway } from './away.js';
import {
  HISTORY_BOUNDS,
  LABELS,
  type Doer,
  type History,
  type HistoryBounds,
  type Label,
  type Past,
  type Taken,
  type Trail,
} from './history.js';
import { ASK_HISTORY } from './history-script.js';

export interface RedisHistoryOptions {
  readonly redis: Redis;
  /** names tasks and customers in the store, which are somebody's */
  readonly idOf: KeyedId;
  /** ms since epoch: the clock of who reads the trails */
  readonly now: () => number;
  /** One tenant gets half of each, whatever others have. All together have the memory of the server, which refuses what is beyond it. */
  readonly bounds?: HistoryBounds;
  /** ms since epoch: instead of the server's own clock, for tests */
  readonly serverNow?: () => number;
}

/** [principal, task], or with the tool, the budgets a task and an hour, labels and customers; '' = none */
type Question =
  readonly [string, string] | readonly [string, string, string, number, number, readonly string[], readonly string[]];
type Flat = readonly (string | number)[];
type Answer = readonly [task: Flat, principal: Flat] | string;

const RETRY_MS = 60_000;

/**
 * The history of all replicas, on Redis. What is asked in one turn of the event loop is asked together. When Redis loses what
 * it kept, budgets and trails begin anew.
 * @throws Refusal overloaded while Redis is away
 */
export function redisHistory({ redis, idOf, now, serverNow, bounds = HISTORY_BOUNDS }: RedisHistoryOptions): History {
  const { principals, tasks, tasksPerPrincipal, customers } = bounds;
  const half = (bound: number): number => Math.ceil(bound / 2);
  const room = JSON.stringify({
    principals: half(principals),
    tasks: half(tasks),
    tasksPerPrincipal,
    customers: half(customers),
  });
  const ask = perTurn<Question, Answer>(async (tenant, questions) => {
    const keys = ['principals', 'tasks', 'customers'].map((each) => `{${tenant}}:history:${each}`);
    const args = [serverNow?.() ?? '', room, JSON.stringify(questions)];
    try {
      return (await redis.run(ASK_HISTORY, keys, args)) as readonly Answer[];
    } catch (error) {
      throw refusedByAway(error);
    }
  });
  const taskOf = (tenant: string, { principal, task }: Doer): string =>
    task === undefined ? '' : idOf(tenant, principal, task);

  return {
    async pastOf(tenant, who): Promise<Past> {
      const [task, principal] = await ask(tenant, [who.principal, taskOf(tenant, who)]);
      const at = now();
      return { task: trailOf(task as Flat, at), principal: trailOf(principal as Flat, at) };
    },
    async take(tenant, who, { tool = '', labels = [], customers = [] }, { perTask, perHour }): Promise<Taken> {
      const distinct = [...new Set(customers)].map((customer) => idOf(tenant, who.principal, customer));
      const mark = [tool, perTask, perHour, labels, distinct] as const;
      const answer = await ask(tenant, [who.principal, taskOf(tenant, who), ...mark]);
      if (answer === 'taken' || answer === 'over_budget') return answer;
      throw new Refusal('overloaded', { retryAfterMs: RETRY_MS }, { detail: `the history is full: ${String(answer)}` });
    },
  };
}

function trailOf(flat: Flat, now: number): Trail {
  const began = new Map<string, number>();
  const labels = new Map<Label, number>();
  for (let n = 0; n < flat.length; n += 2) {
    const [name, at] = [String(flat[n]), now - Number(flat[n + 1])];
    const label = name.startsWith('l:') ? LABELS.find((each) => each === name.slice(2)) : undefined;
    if (name.startsWith('b:')) began.set(name.slice(2), at);
    else if (label !== undefined) labels.set(label, at);
  }
  return { began, labels };
}
