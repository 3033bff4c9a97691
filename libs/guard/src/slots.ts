/** How much one process takes on at a time. */
export interface SlotBounds {
  /** calls under way; one tenant has at most half of them */
  readonly maxCalls: number;
  /** calls under way of one principal */
  readonly maxCallsPerAgent: number;
  /** bytes of request bodies being read or worked on; one tenant has at most half of them, one principal a quarter */
  readonly maxHeldBytes: number;
}

export const DEFAULT_SLOTS: SlotBounds = {
  maxCalls: 512,
  maxCallsPerAgent: 128,
  maxHeldBytes: 64 * 1024 * 1024,
};

/** The room that one call takes, from the moment its caller is known. */
export interface Slot {
  /**
   * Makes room for so many bytes more, before they are read; they are given back with the slot.
   * @throws Refusal rate_limited (limitType `concurrency`) when the principal, or its tenant, has its share;
   *   overloaded when there is none left for anyone
   */
  hold(bytes: number): void;
  /** Gives everything back; safe to call again. */
  leave(): void;
}

/**
 * What keeps a process from taking on more than it can finish: who comes when all is taken is told so at once, before
 * anything of the request is read. Counted per process, since it is the process that runs out.
 */
export interface Slots {
  /** @throws Refusal as {@link Slot.hold} */
  enter(tenant: string, principal: string): Slot;
  inUse(): { readonly calls: number; readonly agents: number; readonly tenants: number; readonly bytes: number };
}
