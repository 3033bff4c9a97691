import { Refusal } from '@portcullis/contract/refusals';
import { DEFAULT_SLOTS, type Slot, type SlotBounds, type Slots } from './slots.js';

/** What callers are told to wait. How long others take is not known; most calls are done within this. */
const RETRY_AFTER_MS = 1000;
const SHARE_OF_BYTES = 4;
/** One tenant's share of everything: half, so that its agents, however many, cannot shut out the others'. */
const SHARE_OF_TENANT = 2;

/** What one principal, or all of a tenant's together, has now. It is forgotten with its last call. */
interface Counts {
  calls: number;
  bytes: number;
}
interface Tenant extends Counts {
  readonly slug: string;
}
interface Agent extends Counts {
  readonly key: string;
  readonly tenant: Tenant;
}

/** The slots of one process. Each decision is one synchronous step. */
export const memorySlots = (bounds: SlotBounds = DEFAULT_SLOTS): Slots => new Counted(bounds);

class Counted implements Slots {
  readonly agents = new Map<string, Agent>();
  readonly tenants = new Map<string, Tenant>();
  readonly callsOfTenant: number;
  readonly bytesOfTenant: number;
  calls = 0;
  bytes = 0;

  constructor(readonly bounds: SlotBounds) {
    this.callsOfTenant = Math.ceil(bounds.maxCalls / SHARE_OF_TENANT);
    this.bytesOfTenant = bounds.maxHeldBytes / SHARE_OF_TENANT;
  }

  enter(tenant: string, principal: string): Slot {
    // a tenant's slug has no slash, so no two pairs share a key
    const key = `${tenant}/${principal}`;
    let agent = this.agents.get(key);
    if (agent !== undefined && agent.calls >= this.bounds.maxCallsPerAgent) throw tooMany('calls', 'principal');
    const inTenant = agent?.tenant ?? this.tenants.get(tenant);
    if (this.calls >= this.bounds.maxCalls) throw full('calls');
    if (inTenant !== undefined && inTenant.calls >= this.callsOfTenant) throw tooMany('calls', 'tenant');
    agent ??= this.#begin(key, inTenant ?? { slug: tenant, calls: 0, bytes: 0 });
    agent.calls++;
    agent.tenant.calls++;
    this.calls++;
    return new Taken(this, agent);
  }

  inUse() {
    return { calls: this.calls, agents: this.agents.size, tenants: this.tenants.size, bytes: this.bytes };
  }

  #begin(key: string, tenant: Tenant): Agent {
    const agent = { key, tenant, calls: 0, bytes: 0 };
    this.agents.set(key, agent);
    this.tenants.set(tenant.slug, tenant);
    return agent;
  }
}

class Taken implements Slot {
  #held = 0;
  #left = false;

  constructor(
    private readonly slots: Counted,
    private readonly agent: Agent,
  ) {}

  hold(bytes: number): void {
    const { slots, agent } = this;
    const { maxHeldBytes } = slots.bounds;
    if (this.#left) return;
    if (agent.bytes + bytes > maxHeldBytes / SHARE_OF_BYTES) throw tooMany('bytes', 'principal');
    if (slots.bytes + bytes > maxHeldBytes) throw full('bytes');
    if (agent.tenant.bytes + bytes > slots.bytesOfTenant) throw tooMany('bytes', 'tenant');
    this.#held += bytes;
    agent.bytes += bytes;
    agent.tenant.bytes += bytes;
    slots.bytes += bytes;
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    const { slots, agent } = this;
    slots.calls--;
    slots.bytes -= this.#held;
    agent.bytes -= this.#held;
    agent.tenant.bytes -= this.#held;
    if (--agent.calls === 0) slots.agents.delete(agent.key);
    if (--agent.tenant.calls === 0) slots.tenants.delete(agent.tenant.slug);
  }
}

const tooMany = (what: string, whose: 'principal' | 'tenant'): Refusal =>
  new Refusal(
    'rate_limited',
    { limitType: 'concurrency', remaining: 0, retryAfterMs: RETRY_AFTER_MS },
    { detail: `too many ${what} of one ${whose} at a time` },
  );
const full = (what: string): Refusal =>
  new Refusal('overloaded', { retryAfterMs: RETRY_AFTER_MS }, { detail: `too many ${what} at a time` });
