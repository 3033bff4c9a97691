import { Refusal } from '@portcullis/contract/refusals';
import { DEFAULT_SLOTS, type Slot, type SlotBounds, type Slots } from './slots.js';

/** What callers are told to wait. How long others take is not known; most calls are done within this. */
const RETRY_AFTER_MS = 1000;
const SHARE_OF_BYTES = 4;

/** What one principal has now. It is forgotten with its last call. */
interface Agent {
  readonly key: string;
  calls: number;
  bytes: number;
}

/** The slots of one process. Each decision is one synchronous step. */
export const memorySlots = (bounds: SlotBounds = DEFAULT_SLOTS): Slots => new Counted(bounds);

class Counted implements Slots {
  readonly agents = new Map<string, Agent>();
  calls = 0;
  bytes = 0;

  constructor(readonly bounds: SlotBounds) {}

  enter(tenant: string, principal: string): Slot {
    // a tenant's slug has no slash, so no two pairs share a key
    const key = `${tenant}/${principal}`;
    let agent = this.agents.get(key);
    if (agent !== undefined && agent.calls >= this.bounds.maxCallsPerAgent) throw tooMany('calls');
    if (this.calls >= this.bounds.maxCalls) throw full('calls');
    if (agent === undefined) this.agents.set(key, (agent = { key, calls: 0, bytes: 0 }));
    agent.calls++;
    this.calls++;
    return new Taken(this, agent);
  }

  inUse() {
    return { calls: this.calls, agents: this.agents.size, bytes: this.bytes };
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
    if (agent.bytes + bytes > maxHeldBytes / SHARE_OF_BYTES) throw tooMany('bytes');
    if (slots.bytes + bytes > maxHeldBytes) throw full('bytes');
    this.#held += bytes;
    agent.bytes += bytes;
    slots.bytes += bytes;
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    const { slots, agent } = this;
    slots.calls--;
    slots.bytes -= this.#held;
    agent.bytes -= this.#held;
    if (--agent.calls === 0) slots.agents.delete(agent.key);
  }
}

const tooMany = (what: string): Refusal =>
  new Refusal(
    'rate_limited',
    { limitType: 'concurrency', remaining: 0, retryAfterMs: RETRY_AFTER_MS },
    { detail: `too many ${what} of one principal at a time` },
  );
const full = (what: string): Refusal =>
  new Refusal('overloaded', { retryAfterMs: RETRY_AFTER_MS }, { detail: `too many ${what} at a time` });
