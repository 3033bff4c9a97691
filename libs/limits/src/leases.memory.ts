import type { Count, TenantCounts } from './counts.memory.js';
import type { Draw } from './draws.js';
import { leaseNames } from './lease-names.js';

export interface Lease {
  readonly tenant: TenantCounts;
  /** among them those that can be settled */
  readonly draws: readonly Draw[];
  /** where each was counted, as far as whoever took it remembers */
  readonly counts?: readonly (Count | undefined)[];
  /** ms since epoch: when it was reserved */
  readonly at: number;
}

/** The leases of one process: bounded, each for `lifeMs`. */
export class Leases {
  /** a name for a lease */
  readonly newName: () => string;
  readonly #most: number;
  readonly #lifeMs: number;
  /** in the order they expire */
  readonly #leases = new Map<string, Lease>();
  /** ms since epoch; no lease expires before it */
  #expireAt = Infinity;

  /** @param most at once; half of them for one tenant */
  constructor(random: (size: number) => Uint8Array, most: number, lifeMs: number) {
    this.newName = leaseNames(random);
    this.#most = most;
    this.#lifeMs = lifeMs;
  }

  get size(): number {
    return this.#leases.size;
  }

  hasRoom(tenant: TenantCounts | undefined): boolean {
    return this.#leases.size < this.#most && (tenant?.leases ?? 0) < Math.ceil(this.#most / 2);
  }

  add(name: string, lease: Lease): void {
    this.#leases.set(name, lease);
    lease.tenant.leases += 1;
    this.#expireAt = Math.min(this.#expireAt, lease.at + this.#lifeMs);
  }

  /** Ends the lease. @returns undefined when this tenant has none of that name */
  take(tenant: string, name: string, now: number): Lease | undefined {
    const lease = this.#leases.get(name);
    if (lease === undefined || lease.tenant.name !== tenant || lease.at + this.#lifeMs <= now) return undefined;
    this.#leases.delete(name);
    lease.tenant.leases -= 1;
    return lease;
  }

  /** Forgets at most so many that have expired. @returns their tenants */
  sweep(most: number, now: number): readonly TenantCounts[] {
    if (now < this.#expireAt) return NONE;
    const left: TenantCounts[] = [];
    for (const [name, { at, tenant }] of this.#leases) {
      this.#expireAt = at + this.#lifeMs;
      if (this.#expireAt > now || left.length >= most) return left;
      this.#leases.delete(name);
      tenant.leases -= 1;
      left.push(tenant);
    }
    this.#expireAt = Infinity;
    return left;
  }

  clear(): void {
    this.#leases.clear();
  }
}

const NONE: readonly TenantCounts[] = [];
