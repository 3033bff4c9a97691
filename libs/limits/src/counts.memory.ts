import { WindowCount } from './window.js';

/** What is remembered of one tenant. */
export interface TenantCounts {
  readonly name: string;
  readonly counts: Map<string, Count>;
  /** how many leases it has */
  leases: number;
}
export interface Count {
  readonly key: string;
  readonly tenant: TenantCounts;
  readonly window: WindowCount;
  /** nothing counted any more, so that it was given up; whoever still holds it has to look it up anew */
  isForgotten: boolean;
}

/** A full sweep while full costs milliseconds; it is done no more often than this. */
export const FULL_SWEEP_MS = 1_000;

/**
 * All windows of one process, by tenant and key; bounded, over all and for each tenant. What is idle is forgotten a few at
 * a time, so that no timer is needed and nobody waits for a long sweep.
 */
export class Counts {
  readonly #most: number;
  readonly #mostPerTenant: number;
  readonly #tenants = new Map<string, TenantCounts>();
  readonly #all: Count[] = [];
  #toSweep = 0;
  #fullSweepAt = -Infinity;

  constructor(most: number, mostPerTenant: number) {
    this.#most = most;
    this.#mostPerTenant = mostPerTenant;
  }

  get size(): number {
    return this.#all.length;
  }
  get tenants(): number {
    return this.#tenants.size;
  }

  /** @returns undefined for a tenant that has neither counts nor leases */
  find(tenant: string): TenantCounts | undefined {
    return this.#tenants.get(tenant);
  }

  /** The tenant, remembered from now on. */
  of(tenant: string): TenantCounts {
    let found = this.#tenants.get(tenant);
    if (found === undefined) {
      found = { name: tenant, counts: new Map(), leases: 0 };
      this.#tenants.set(tenant, found);
    }
    return found;
  }

  /** @returns whether the tenant may open so many more, making room where it can */
  hasRoom(tenant: TenantCounts | undefined, more: number, now: number): boolean {
    const isFull = (): boolean =>
      this.#all.length + more > this.#most || (tenant?.counts.size ?? 0) + more > this.#mostPerTenant;
    if (!isFull()) return true;
    if (now < this.#fullSweepAt + FULL_SWEEP_MS) return false;
    this.#fullSweepAt = now;
    this.sweep(this.#all.length, now);
    return !isFull();
  }

  /** Whether there is room is for the caller to ask: see {@link hasRoom}. */
  open(tenant: TenantCounts, key: string, windowMs: number): WindowCount {
    const count: Count = { key, tenant, window: new WindowCount(windowMs), isForgotten: false };
    tenant.counts.set(key, count);
    this.#all.push(count);
    return count.window;
  }

  /** Looks at so many counts, and forgets those of which nothing counts any more. */
  sweep(looks: number, now: number): void {
    const all = this.#all;
    for (let i = 0; i < looks && all.length > 0; i++) {
      if (this.#toSweep >= all.length) this.#toSweep = 0;
      const count = all[this.#toSweep]!;
      if (!count.window.isIdle(now)) {
        this.#toSweep += 1;
        continue;
      }
      const last = all.pop()!;
      if (last !== count) all[this.#toSweep] = last;
      count.isForgotten = true;
      count.window.clear();
      count.tenant.counts.delete(count.key);
      this.forgetIfEmpty(count.tenant);
    }
  }

  forgetIfEmpty(tenant: TenantCounts): void {
    if (tenant.counts.size === 0 && tenant.leases === 0) this.#tenants.delete(tenant.name);
  }

  clear(): void {
    for (const count of this.#all) count.isForgotten = true;
    this.#all.length = 0;
    this.#tenants.clear();
  }
}
