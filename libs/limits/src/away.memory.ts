import type { LimitVerdict } from '@portcullis/contract/limits';
import { Refusal } from '@portcullis/contract/refusals';
import { isReserved, usedOf, type Draw } from './draws.js';
import { heldAs } from './lease-names.js';
import { LEASE_MS } from './rule-table.js';
import { stateOf, verdictOf } from './verdict.js';
import { WindowCount } from './window.js';

interface Lease {
  readonly tenant: string;
  /** what can be settled of it */
  readonly draws: readonly Draw[];
  /** ms: when it was reserved */
  readonly at: number;
}

const RETRY_MS = 1_000;
/** More than one decision adds, so that what is idle always goes. */
const SWEPT_PER_DRAW = 2;

/**
 * Decides while the store is away, by how each rule that a question draws on fails: `closed` refuses; `share` counts here,
 * against this replica's part of the limit; `open` admits and does not count. The strictest of them decides. What is counted
 * is kept when the store is back, until it is a window old, so that a store that comes and goes opens nothing.
 */
export class AwayMemory {
  readonly #replicas: number;
  readonly #most: number;
  readonly #counts = new Map<string, { readonly tenant: string; readonly window: WindowCount }>();
  readonly #perTenant = new Map<string, number>();
  /** in the order they expire */
  readonly #leases = new Map<string, Lease>();
  #toSweep = this.#counts.entries();

  /**
   * @param replicas that share each limit, integer >= 1
   * @param most     counts kept at once, and leases, half of them for one tenant; beyond that questions are refused
   */
  constructor(replicas: number, most: number) {
    if (!Number.isSafeInteger(replicas) || replicas < 1) throw new RangeError('replicas must be an integer >= 1');
    this.#replicas = replicas;
    this.#most = most;
  }

  /** How many counts are kept. */
  get size(): number {
    return this.#counts.size;
  }

  /**
   * @param lease of the reservation; '' = nothing is to be settled later
   * @param taker whom it is bound to
   * @throws Refusal overloaded when a rule fails closed, this replica's part of a limit is less than one permit, or too much
   *   is counted already
   */
  decide(
    tenant: string,
    draws: readonly Draw[],
    lease: string,
    rulesVersion: number,
    now: number,
    taker?: string,
  ): LimitVerdict {
    this.#sweep(now, SWEPT_PER_DRAW * (draws.length + 1));
    const shares = draws.flatMap((draw) => (draw.fail === 'open' ? [] : [this.#shareOf(draw)]));
    const states = shares.map((draw) => stateOf(this.#counts.get(keyOf(tenant, draw.key))?.window, draw, now));
    if (states.some(({ retryAfterMs }) => retryAfterMs > 0)) return verdictOf(shares, states, '', rulesVersion);
    const more = shares.filter(({ key }) => !this.#counts.has(keyOf(tenant, key))).length;
    if (!this.#hasRoom(tenant, more)) throw away(`too much is counted here for ${tenant}`);
    for (const draw of shares) this.#open(tenant, draw).charge(draw.cost, draw.slotMs, now);
    if (lease !== '') this.#leases.set(heldAs(lease, taker), { tenant, draws: shares.filter(isReserved), at: now });
    return verdictOf(shares, states, lease, rulesVersion);
  }

  /** @param lease as it is held (lease-names.ts). @returns false when no such lease was given here */
  settle(tenant: string, lease: string, llmTokens: number, costMicros: number | undefined, now: number): boolean {
    const found = this.#leases.get(lease);
    if (found === undefined || found.tenant !== tenant || found.at + LEASE_MS <= now) return false;
    this.#leases.delete(lease);
    for (const draw of found.draws) {
      const used = usedOf(draw, llmTokens, costMicros);
      if (used !== draw.cost) this.#open(tenant, draw).correct(found.at, draw.cost, used, draw.slotMs, now);
    }
    return true;
  }

  clear(): void {
    this.#counts.clear();
    this.#perTenant.clear();
    this.#leases.clear();
  }

  /** @throws Refusal overloaded when the replica may admit nothing by itself */
  #shareOf(draw: Draw): Draw {
    const limit = draw.fail === 'share' ? Math.floor(draw.limit / this.#replicas) : 0;
    if (limit < 1) throw away(`rule ${draw.rule} cannot be decided`);
    return { ...draw, limit };
  }

  #hasRoom(tenant: string, more: number): boolean {
    const counted = (this.#perTenant.get(tenant) ?? 0) + more;
    return this.#counts.size + more <= this.#most && counted <= this.#most / 2 && this.#leases.size < this.#most;
  }

  #open(tenant: string, { key, windowMs }: Draw): WindowCount {
    const name = keyOf(tenant, key);
    const known = this.#counts.get(name)?.window;
    if (known) return known;
    const window = new WindowCount(windowMs);
    this.#counts.set(name, { tenant, window });
    this.#perTenant.set(tenant, (this.#perTenant.get(tenant) ?? 0) + 1);
    return window;
  }

  #sweep(now: number, looks: number): void {
    for (let looked = 0; looked < looks; looked++) {
      const next = this.#toSweep.next();
      if (next.done) {
        this.#toSweep = this.#counts.entries();
        break;
      }
      const [name, { tenant, window }] = next.value;
      if (!window.isIdle(now)) continue;
      this.#counts.delete(name);
      const left = (this.#perTenant.get(tenant) ?? 0) - 1;
      if (left > 0) this.#perTenant.set(tenant, left);
      else this.#perTenant.delete(tenant);
    }
    for (const [lease, { at }] of this.#leases) {
      if (at + LEASE_MS > now) break;
      this.#leases.delete(lease);
    }
  }
}

const away = (detail: string): Refusal =>
  new Refusal('overloaded', { retryAfterMs: RETRY_MS }, { detail: `the store of counts is away: ${detail}` });

/** A tenant's slug has no slash. */
const keyOf = (tenant: string, key: string): string => `${tenant}/${key}`;
