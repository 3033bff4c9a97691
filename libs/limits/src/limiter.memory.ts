import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';
import { Refusal } from '@portcullis/contract/refusals';
import { weigh, weighArrival } from './decision.js';
import type { Limiter } from './limiter.js';
import { LEASE_MS, limitsFor, ruleFor, type Limits } from './rules.js';
import { windowIsIdle, type WindowLog, type WindowRule } from './sliding-window.js';
import { steadyClock } from './steady-clock.js';
import { budgetIsIdle, correct, type Budget } from './token-budget.js';

export interface MemoryLimiterParts {
  /** ms since epoch; may step back */
  now(): number;
  /** that many random bytes, fit for secrets */
  random(size: number): Uint8Array;
  /** principals remembered at once; the next one is refused with `overloaded`. Default 50,000 */
  readonly maxPrincipals?: number;
  /** the same for one tenant, so that none can lock the others out. Default half of maxPrincipals */
  readonly maxPrincipalsPerTenant?: number;
  /** the limits that each question touches; the house's own unless given */
  readonly limitsFor?: typeof limitsFor;
}

/** Everything remembered of one principal. */
interface Ledger {
  readonly key: string;
  readonly tenant: string;
  arrivals: WindowLog;
  requests: WindowLog;
  readonly tools: Map<string, WindowLog>;
  budget: Budget;
  /** ms since epoch: the last admission; its lease is the last to expire */
  admittedAt: number;
}

interface Lease {
  readonly ledger: Ledger;
  readonly tokens: number;
  readonly at: number;
  /** ms since epoch */
  readonly expiresAt: number;
}

const LEASE_BYTES = 16;
const POOLED_LEASES = 64;
/** Ledgers and leases looked at per decision: more than one decision can add, so that what is idle always goes. */
const SWEPT_PER_DECISION = 4;
/** A full sweep while full costs milliseconds; it is done no more often than this. */
const FULL_SWEEP_MS = 1_000;

export interface MemoryLimiterStats {
  readonly tenants: number;
  readonly principals: number;
  /** over all principals: the tools they have a window for */
  readonly toolWindows: number;
  readonly leases: number;
}

export interface MemoryLimiter extends Limiter {
  decide(question: LimitQuestion): LimitVerdict;
  settle(tenant: string, lease: string, llmTokens: number): boolean;
  release(tenant: string, lease: string): boolean;
  /** How much is remembered now. */
  stats(): MemoryLimiterStats;
}

/** A limiter that remembers nothing yet. */
export const memoryLimiter = (parts: MemoryLimiterParts): MemoryLimiter => new Ledgers(parts);

/**
 * The limiter of one process. Each decision is one synchronous step, so decisions asked for at once cannot mix. Memory is
 * bounded by maxPrincipals: a principal holds at most its own limit of entries, and goes when nothing of it counts.
 */
class Ledgers implements MemoryLimiter {
  readonly #now: () => number;
  readonly #random: (size: number) => Uint8Array;
  readonly #maxPrincipals: number;
  readonly #maxPerTenant: number;
  readonly #limitsFor: typeof limitsFor;
  readonly #whole: Limits;
  /** ms; after this an admission counts in no request window, and its lease can no longer be settled above its reservation */
  readonly #keptMs: number;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #perTenant = new Map<string, number>();
  /** in the order they expire */
  readonly #leases = new Map<string, Lease>();
  #toSweep = this.#ledgers.values();
  /** ms since epoch; no lease expires before it */
  #leasesExpireAt = Infinity;
  #pool = Buffer.alloc(0);
  #unused = 0;
  #fullSweepAt = -Infinity;

  constructor(parts: MemoryLimiterParts) {
    const { now, random, maxPrincipals = 50_000, maxPrincipalsPerTenant } = parts;
    this.#limitsFor = parts.limitsFor ?? limitsFor;
    this.#whole = this.#limitsFor(undefined, 1);
    this.#keptMs = Math.max(LEASE_MS, this.#whole.requests.windowMs);
    this.#now = steadyClock(now);
    this.#random = random;
    this.#maxPrincipals = maxPrincipals;
    this.#maxPerTenant = maxPrincipalsPerTenant ?? Math.ceil(maxPrincipals / 2);
  }

  decide(question: LimitQuestion): LimitVerdict {
    const { tenant = DEFAULT_TENANT, principal, tool, share = 1, stage = 'call' } = question;
    const llmTokens = question.llmTokens ?? (tool === undefined ? 0 : ruleFor(tool).llmTokens);
    const now = this.#now();
    this.#sweep(now);
    // A tenant's slug has no slash, so no two pairs share a key.
    const key = `${tenant}/${principal}`;
    const known = this.#ledgers.get(key);
    if (stage === 'arrival') return this.#arrive(known, key, tenant, this.#limitsFor(undefined, share).arrivals, now);
    const held = {
      requests: known?.requests ?? [],
      tool: (tool !== undefined && known?.tools.get(tool)) || [],
      budget: known?.budget ?? [],
    };
    const decided = weigh(held, this.#limitsFor(tool, share), llmTokens, now);
    if (!decided.allowed) return decided;

    const lease = this.#newLease();
    const ledger = known ?? this.#open(key, tenant, now);
    ledger.requests = decided.held.requests;
    ledger.budget = decided.held.budget;
    ledger.admittedAt = now;
    if (tool !== undefined) keepTool(ledger, tool, decided.held.tool, now, this.#whole.requests.windowMs);
    const expiresAt = now + LEASE_MS;
    this.#leases.set(lease, { ledger, tokens: llmTokens, at: decided.reservedAt, expiresAt });
    this.#leasesExpireAt = Math.min(this.#leasesExpireAt, expiresAt);
    return { allowed: true, lease, remaining: decided.remaining };
  }

  settle(tenant: string, lease: string, llmTokens: number): boolean {
    if (!Number.isSafeInteger(llmTokens) || llmTokens < 0) throw new RangeError('llmTokens must be an integer >= 0');
    const found = this.#leases.get(lease);
    if (found === undefined || found.ledger.tenant !== tenant || found.expiresAt <= this.#now()) return false;
    this.#leases.delete(lease);
    const { ledger, tokens, at } = found;
    ledger.budget = correct(ledger.budget, this.#whole.budget, at, tokens, llmTokens);
    return true;
  }

  release(tenant: string, lease: string): boolean {
    return this.settle(tenant, lease, 0);
  }

  async close(): Promise<void> {
    this.#ledgers.clear();
    this.#perTenant.clear();
    this.#leases.clear();
  }

  stats(): MemoryLimiterStats {
    const toolWindows = [...this.#ledgers.values()].reduce((sum, { tools }) => sum + tools.size, 0);
    return {
      tenants: this.#perTenant.size,
      principals: this.#ledgers.size,
      toolWindows,
      leases: this.#leases.size,
    };
  }

  #arrive(known: Ledger | undefined, key: string, tenant: string, rule: WindowRule, now: number): LimitVerdict {
    const decided = weighArrival(known?.arrivals ?? [], rule, now);
    if (!decided.allowed) return decided;
    const ledger = known ?? this.#open(key, tenant, now);
    ledger.arrivals = decided.arrivals;
    ledger.admittedAt = now;
    return { allowed: true, lease: '', remaining: decided.remaining };
  }

  #newLease(): string {
    // asking for random bytes costs more than all the rest of a decision, whatever their number
    if (this.#unused + LEASE_BYTES > this.#pool.length) {
      this.#pool = Buffer.from(this.#random(POOLED_LEASES * LEASE_BYTES));
      this.#unused = 0;
    }
    return this.#pool.toString('base64url', this.#unused, (this.#unused += LEASE_BYTES));
  }

  #open(key: string, tenant: string, now: number): Ledger {
    if (this.#isFull(tenant) && now >= this.#fullSweepAt + FULL_SWEEP_MS) {
      this.#fullSweepAt = now;
      for (const each of this.#ledgers.values()) this.#forgetIdle(each, now);
    }
    if (this.#isFull(tenant)) {
      throw new Refusal('overloaded', { retryAfterMs: FULL_SWEEP_MS }, { detail: `limiter is full for ${tenant}` });
    }
    const ledger: Ledger = { key, tenant, arrivals: [], requests: [], tools: new Map(), budget: [], admittedAt: now };
    this.#ledgers.set(key, ledger);
    this.#perTenant.set(tenant, (this.#perTenant.get(tenant) ?? 0) + 1);
    return ledger;
  }

  #isFull(tenant: string): boolean {
    return this.#ledgers.size >= this.#maxPrincipals || (this.#perTenant.get(tenant) ?? 0) >= this.#maxPerTenant;
  }

  /** Looks at a few ledgers and leases, so that no timer is needed and no decision waits for a long sweep. */
  #sweep(now: number): void {
    for (let looked = 0; looked < SWEPT_PER_DECISION; looked++) {
      const next = this.#toSweep.next();
      if (next.done) {
        this.#toSweep = this.#ledgers.values();
        break;
      }
      this.#forgetIdle(next.value, now);
    }
    if (now >= this.#leasesExpireAt) this.#sweepLeases(now);
  }

  #sweepLeases(now: number): void {
    let looked = 0;
    for (const [lease, { expiresAt }] of this.#leases) {
      this.#leasesExpireAt = expiresAt;
      if (expiresAt > now || ++looked > SWEPT_PER_DECISION) return;
      this.#leases.delete(lease);
    }
    this.#leasesExpireAt = Infinity;
  }

  #forgetIdle({ key, tenant, budget, admittedAt }: Ledger, now: number): void {
    if (now < admittedAt + this.#keptMs || !budgetIsIdle(budget, this.#whole.budget.windowMs, now)) return;
    this.#ledgers.delete(key);
    const left = (this.#perTenant.get(tenant) ?? 0) - 1;
    if (left > 0) this.#perTenant.set(tenant, left);
    else this.#perTenant.delete(tenant);
  }
}

/** Every tool called within the window keeps its log; the principal's own limit bounds how many those are. */
function keepTool({ tools }: Ledger, tool: string, log: WindowLog, now: number, windowMs: number): void {
  if (!tools.has(tool)) {
    for (const [each, old] of tools) if (windowIsIdle(old, windowMs, now)) tools.delete(each);
  }
  tools.set(tool, log);
}
