import { Refusal } from '@portcullis/contract/refusals';
import { steadyClock } from '@portcullis/limits/steady-clock';
import { boundedId } from './bounded-id.js';
import {
  hasEnded,
  HISTORY_BOUNDS,
  HOUR_MS,
  type CustomerBudgets,
  type Doer,
  type History,
  type HistoryBounds,
  type Label,
  type Mark,
  type Past,
  type Taken,
  type Trail,
} from './history.js';

/** A trail that can be written on. */
interface OpenTrail extends Trail {
  readonly began: Map<string, number>;
  readonly labels: Map<Label, number>;
}
interface Kept extends OpenTrail {
  /** ms since epoch: when it was last heard of, and when it was last put in its place among the others */
  lastAt: number;
  movedAt: number;
}
interface Task extends Kept {
  readonly startedAt: number;
  readonly customers: Set<string>;
}
interface Doings extends Kept {
  readonly tenant: string;
  /** when each was last touched, the longest ago first */
  readonly customers: Map<string, number>;
  /** the longest idle first, to the minute (see touch) */
  readonly tasks: Map<string, Task>;
}
/** How much is kept of something. */
export interface HistoryStats {
  principals: number;
  tasks: number;
  customers: number;
}
type Counted = keyof HistoryStats;
export interface MemoryHistory extends History {
  pastOf(tenant: string, who: Doer): Past;
  take(tenant: string, who: Doer, mark: Mark, budgets: CustomerBudgets): Taken;
  /** How much is kept now. */
  stats(): HistoryStats;
}

const NOTHING: Trail = { began: new Map(), labels: new Map() };
const NO_PAST: Past = { task: NOTHING, principal: NOTHING };
const NONE: readonly never[] = [];
const RETRY_MS = 60_000;
const MOVED_EVERY_MS = 60_000;
/** Looking for who is idle steps over everybody who was moved since the map last made itself anew, so it is not for every call. */
const FORGOTTEN_EVERY_MS = 1_000;

/**
 * The history of one process, forgotten when it ends. Each step is one synchronous one, so calls at once cannot mix.
 * @param now ms since epoch; may step back
 */
export function memoryHistory(now: () => number, bounds: HistoryBounds = HISTORY_BOUNDS): MemoryHistory {
  return new Histories(steadyClock(now), bounds);
}

class Histories implements MemoryHistory {
  readonly #now: () => number;
  readonly #bounds: HistoryBounds;
  /** the longest idle first, to the minute (see touch) */
  readonly #doings = new Map<string, Doings>();
  readonly #inAll: HistoryStats = { principals: 0, tasks: 0, customers: 0 };
  readonly #perTenant = new Map<string, HistoryStats>();
  #forgottenAt = -Infinity;

  constructor(now: () => number, bounds: HistoryBounds) {
    this.#now = now;
    this.#bounds = bounds;
  }

  pastOf(tenant: string, { principal, task: name }: Doer): Past {
    const now = this.#now();
    const key = keyOf(tenant, principal);
    const doings = this.#doings.get(key);
    if (doings === undefined) return NO_PAST;
    forgetBefore(doings, now - HOUR_MS);
    const task = name === undefined ? undefined : doings.tasks.get(name);
    if (name === undefined || task === undefined || hasEnded(task, now)) return { task: NOTHING, principal: doings };
    touch(this.#doings, key, doings, now);
    touch(doings.tasks, name, task, now);
    return { task, principal: doings };
  }

  take(tenant: string, { principal, task: name }: Doer, mark: Mark, budgets: CustomerBudgets): Taken {
    const now = this.#now();
    this.#forgetIdle(now);
    const key = keyOf(tenant, principal);
    const known = this.#doings.get(key);
    if (known) this.#forgetOf(known, name, now);
    const knownTask = known && name !== undefined ? known.tasks.get(name) : undefined;
    const customers = distinct(mark.customers);
    const { newInHour, newInTask } = newAmong(customers, known?.customers, knownTask?.customers);
    if (newInHour > 0 && (known?.customers.size ?? 0) + newInHour > budgets.perHour) return 'over_budget';
    if (name !== undefined && newInTask > 0 && (knownTask?.customers.size ?? 0) + newInTask > budgets.perTask) {
      return 'over_budget';
    }

    const opensTask = name !== undefined && knownTask === undefined;
    if (opensTask && (known?.tasks.size ?? 0) >= this.#bounds.tasksPerPrincipal) throw full('tasks of one principal');
    this.#expectRoom(tenant, known ? 0 : 1, opensTask ? 1 : 0, newInHour + (name === undefined ? 0 : newInTask));

    const doings = known ?? this.#open(tenant, key, now);
    const task = name === undefined ? undefined : (knownTask ?? this.#openTask(doings, name, now));
    touch(this.#doings, key, doings, now);
    if (task && name !== undefined) {
      touch(doings.tasks, name, task, now);
      for (const customer of customers) task.customers.add(customer);
      this.#count(tenant, 'customers', newInTask);
      write(task, mark, now);
    }
    for (const customer of customers) {
      doings.customers.delete(customer);
      doings.customers.set(customer, now);
    }
    this.#count(tenant, 'customers', newInHour);
    write(doings, mark, now);
    return 'taken';
  }

  stats(): HistoryStats {
    return { ...this.#inAll };
  }

  #open(tenant: string, key: string, now: number): Doings {
    this.#count(tenant, 'principals', 1);
    const doings = {
      tenant,
      lastAt: now,
      movedAt: now,
      customers: new Map(),
      tasks: new Map(),
      began: new Map(),
      labels: new Map(),
    };
    this.#doings.set(key, doings);
    return doings;
  }

  #openTask({ tenant, tasks }: Doings, name: string, now: number): Task {
    this.#count(tenant, 'tasks', 1);
    const task = {
      startedAt: now,
      lastAt: now,
      movedAt: now,
      customers: new Set<string>(),
      began: new Map(),
      labels: new Map(),
    };
    tasks.set(name, task);
    return task;
  }

  #forgetIdle(now: number): void {
    if (now < this.#forgottenAt + FORGOTTEN_EVERY_MS) return;
    this.#forgottenAt = now;
    for (const [key, doings] of this.#doings) {
      if (now < doings.lastAt + HOUR_MS) return;
      this.#forgetOf(doings, undefined, now);
      this.#doings.delete(key);
      this.#count(doings.tenant, 'principals', -1);
    }
  }

  /** Forgets what of one principal counts no more, and the named task when it has lived its time. */
  #forgetOf(doings: Doings, named: string | undefined, now: number): void {
    forgetBefore(doings, now - HOUR_MS);
    let forgotten = 0;
    for (const [customer, at] of doings.customers) {
      if (at > now - HOUR_MS) break;
      doings.customers.delete(customer);
      forgotten += 1;
    }
    if (forgotten > 0) this.#count(doings.tenant, 'customers', -forgotten);
    for (const [name, task] of doings.tasks) {
      if (!hasEnded(task, now)) break;
      this.#closeTask(doings, name, task);
    }
    const task = named === undefined ? undefined : doings.tasks.get(named);
    if (named !== undefined && task && hasEnded(task, now)) this.#closeTask(doings, named, task);
  }

  #closeTask({ tenant, tasks }: Doings, name: string, task: Task): void {
    tasks.delete(name);
    this.#count(tenant, 'tasks', -1);
    this.#count(tenant, 'customers', -task.customers.size);
  }

  #expectRoom(tenant: string, principals: number, tasks: number, customers: number): void {
    if (principals + tasks + customers === 0) return;
    const own = this.#perTenant.get(tenant);
    const wants: HistoryStats = { principals, tasks, customers };
    for (const kept of ['principals', 'tasks', 'customers'] as const) {
      const [more, bound] = [wants[kept], this.#bounds[kept]];
      if (more === 0) continue;
      if (this.#inAll[kept] + more > bound) throw full(kept);
      if ((own?.[kept] ?? 0) + more > Math.ceil(bound / 2)) throw full(`${kept} of ${tenant}`);
    }
  }

  #count(tenant: string, kept: Counted, more: number): void {
    if (more === 0) return;
    let own = this.#perTenant.get(tenant);
    if (own === undefined) this.#perTenant.set(tenant, (own = { principals: 0, tasks: 0, customers: 0 }));
    own[kept] += more;
    this.#inAll[kept] += more;
    if (own.principals + own.tasks + own.customers === 0) this.#perTenant.delete(tenant);
  }
}

/** A tenant's slug has no slash, so no two pairs share a key. */
const keyOf = (tenant: string, principal: string): string => `${tenant}/${principal}`;

/**
 * Moves it to the end, so that the longest idle come first: true to the minute only, since moving it on every call costs
 * more than asking. What has ended may be kept a minute longer for that, behind one that has not: it says nothing, but
 * takes room.
 */
function touch<T extends Kept>(all: Map<string, T>, key: string, one: T, now: number): void {
  one.lastAt = now;
  if (now - one.movedAt < MOVED_EVERY_MS) return;
  one.movedAt = now;
  all.delete(key);
  all.set(key, one);
}

const full = (what: string): Refusal =>
  new Refusal('overloaded', { retryAfterMs: RETRY_MS }, { detail: `the history is full: ${what}` });

function distinct(ids: readonly string[] = NONE): readonly string[] {
  const [first] = ids;
  if (first === undefined || (ids.length === 1 && boundedId(first) === first)) return ids;
  return [...new Set(ids.map(boundedId))];
}

function newAmong(
  customers: readonly string[],
  inHour: ReadonlyMap<string, number> | undefined,
  inTask: ReadonlySet<string> | undefined,
): { newInHour: number; newInTask: number } {
  let [newInHour, newInTask] = [0, 0];
  for (const customer of customers) {
    if (!inHour?.has(customer)) newInHour += 1;
    if (!inTask?.has(customer)) newInTask += 1;
  }
  return { newInHour, newInTask };
}

function write({ began, labels }: OpenTrail, mark: Mark, now: number): void {
  if (mark.tool !== undefined) began.set(mark.tool, now);
  for (const label of mark.labels ?? NONE) labels.set(label, now);
}

function forgetBefore({ began, labels }: OpenTrail, then: number): void {
  if (began.size > 0) for (const [tool, at] of began) if (at <= then) began.delete(tool);
  if (labels.size > 0) for (const [label, at] of labels) if (at <= then) labels.delete(label);
}
