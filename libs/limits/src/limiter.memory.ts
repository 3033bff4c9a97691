import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';
import { Refusal } from '@portcullis/contract/refusals';
import { Counts, FULL_SWEEP_MS, type Count, type TenantCounts } from './counts.memory.js';
import { expectAmount, isReserved, usedOf, type Draw } from './draws.js';
import { heldAs } from './lease-names.js';
import { Leases } from './leases.memory.js';
import type { Limiter } from './limiter.js';
import { LEASE_MS, type RuleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';
import { steadyClock } from './steady-clock.js';
import { RecentQuestions } from './recent.memory.js';
import type { DrawState } from './turn.js';
import { stateOf, verdictOf } from './verdict.js';

export interface MemoryLimiterParts {
  /** ms since epoch; may step back */
  now(): number;
  /** that many random bytes, fit for secrets */
  random(size: number): Uint8Array;
  /** the rules that hold now; asked at every decision, so that a new table counts from the next one on. The house's own unless given */
  readonly table?: () => RuleTable;
  /** windows remembered at once; who needs one more is refused with `overloaded`. A principal has three or four. Default 400,000 */
  readonly maxCounts?: number;
  /** the same for one tenant, so that none can lock the others out. Default half of maxCounts */
  readonly maxCountsPerTenant?: number;
  /** leases that are neither settled nor released nor expired, half of them for one tenant. Default 1,000,000 */
  readonly maxLeases?: number;
}

export interface MemoryLimiterStats {
  readonly tenants: number;
  readonly counts: number;
  readonly leases: number;
}

export interface MemoryLimiter extends Limiter {
  decide(question: LimitQuestion, taker?: string): LimitVerdict;
  settle(tenant: string, lease: string, llmTokens: number, costMicros?: number, taker?: string): boolean;
  release(tenant: string, lease: string, taker?: string): boolean;
  /** How much is remembered now. */
  stats(): MemoryLimiterStats;
}

/** A limiter that remembers nothing yet. */
export const memoryLimiter = (parts: MemoryLimiterParts): MemoryLimiter => new InMemory(parts);

/** Leases looked at per decision: more than one decision can add, so that those that have expired always go. */
const LEASES_SWEPT = 4;

/**
 * The limiter of one process. Each decision is one synchronous step, so decisions asked for at once cannot mix. Memory is
 * bounded by the number of counts, each of which holds at most its limit or 241 slots, and of leases.
 */
class InMemory implements MemoryLimiter {
  readonly #now: () => number;
  readonly #table: () => RuleTable;
  readonly #counts: Counts;
  readonly #leases: Leases;
  readonly #recent = new RecentQuestions();

  constructor({
    now,
    random,
    table,
    maxCounts = 400_000,
    maxCountsPerTenant,
    maxLeases = 1_000_000,
  }: MemoryLimiterParts) {
    this.#now = steadyClock(now);
    this.#table = table ?? (() => HOUSE_TABLE);
    this.#counts = new Counts(maxCounts, maxCountsPerTenant ?? Math.ceil(maxCounts / 2));
    this.#leases = new Leases(random, maxLeases, LEASE_MS);
  }

  decide(question: LimitQuestion, taker?: string): LimitVerdict {
    const { tenant: name = DEFAULT_TENANT, stage } = question;
    const table = this.#table();
    const asked = this.#recent.ask(table, question);
    const { draws, counts } = asked;
    const now = this.#now();
    const tenant = this.#counts.find(name);
    const states: DrawState[] = [];
    let missing = 0;
    let refused = false;
    for (let i = 0; i < draws.length; i++) {
      const draw = draws[i]!;
      const count = (counts[i] = held(counts[i], tenant, draw));
      const state = stateOf(count?.window, draw, now);
      states.push(state);
      if (state.retryAfterMs > 0) refused = true;
      if (count === undefined && draw.cost > 0) missing += 1;
    }
    this.#sweep(missing, now);
    if (refused) return verdictOf(draws, states, '', table.version);

    const isArrival = stage === 'arrival';
    this.#makeRoom(name, tenant, missing, isArrival, now);
    const lease = isArrival ? '' : this.#leases.newName();
    // from here on all is taken; what was idle may have been forgotten meanwhile
    const charged = this.#counts.of(name);
    for (let i = 0; i < draws.length; i++) {
      const draw = draws[i]!;
      const { cost, slotMs, key, windowMs } = draw;
      if (cost === 0) continue;
      const window = held(counts[i], charged, draw)?.window ?? this.#counts.open(charged, key, windowMs);
      window.charge(cost, slotMs, now);
    }
    if (!isArrival) this.#leases.add(heldAs(lease, taker), { tenant: charged, draws, counts, at: now });
    return verdictOf(draws, states, lease, table.version);
  }

  settle(tenant: string, lease: string, llmTokens: number, costMicros?: number, taker?: string): boolean {
    expectAmount('llmTokens', llmTokens);
    if (costMicros !== undefined) expectAmount('costMicros', costMicros);
    return this.#correct(tenant, heldAs(lease, taker), llmTokens, costMicros);
  }

  release(tenant: string, lease: string, taker?: string): boolean {
    return this.#correct(tenant, heldAs(lease, taker), 0, 0);
  }

  async close(): Promise<void> {
    this.#counts.clear();
    this.#leases.clear();
    this.#recent.clear();
  }

  stats(): MemoryLimiterStats {
    return { tenants: this.#counts.tenants, counts: this.#counts.size, leases: this.#leases.size };
  }

  #correct(name: string, lease: string, llmTokens: number, costMicros: number | undefined): boolean {
    const now = this.#now();
    const found = this.#leases.take(name, lease, now);
    if (found === undefined) return false;
    const { tenant, draws, counts, at } = found;
    for (let i = 0; i < draws.length; i++) {
      const draw = draws[i]!;
      const { key, cost, slotMs, windowMs } = draw;
      if (!isReserved(draw)) continue;
      const used = usedOf(draw, llmTokens, costMicros);
      if (used === cost) continue;
      let window = held(counts?.[i], tenant, draw)?.window;
      // what it was charged to may have been forgotten when nothing else counted there; leases bound how many are opened
      if (window === undefined && used > cost && at + windowMs > now) window = this.#counts.open(tenant, key, windowMs);
      window?.correct(at, cost, used, slotMs, now);
    }
    this.#counts.forgetIfEmpty(tenant);
    return true;
  }

  #makeRoom(name: string, tenant: TenantCounts | undefined, missing: number, isArrival: boolean, now: number): void {
    if (missing > 0 && !this.#counts.hasRoom(tenant, missing, now)) throw full(name);
    if (!isArrival && !this.#leases.hasRoom(tenant)) throw full(name);
  }

  /** Looks at more counts than the decision may add, so that what is idle always goes. */
  #sweep(adding: number, now: number): void {
    this.#counts.sweep(adding + 1, now);
    for (const tenant of this.#leases.sweep(LEASES_SWEPT, now)) this.#counts.forgetIfEmpty(tenant);
  }
}

/** The count of a draw, by the hint if that is still good. */
const held = (hint: Count | undefined, tenant: TenantCounts | undefined, { key }: Draw): Count | undefined =>
  hint !== undefined && !hint.isForgotten ? hint : tenant?.counts.get(key);

const full = (tenant: string): Refusal =>
  new Refusal('overloaded', { retryAfterMs: FULL_SWEEP_MS }, { detail: `limiter is full for ${tenant}` });
