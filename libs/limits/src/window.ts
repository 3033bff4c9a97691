/** At most `limit` in any span of `windowMs`. */
export interface WindowRule {
  /** permits, LLM tokens or whatever is counted, integer >= 1 */
  readonly limit: number;
  readonly windowMs: number;
}

/** A count has at most one more than this many slots. */
export const SLOTS = 240;

/** How much time is remembered as one charge, ms: 1 where so few are let in that each keeps its own. */
export const slotMsOf = ({ limit, windowMs }: WindowRule): number => (limit <= SLOTS ? 1 : Math.ceil(windowMs / SLOTS));

const FIRST_CAPACITY = 4;

/**
 * What was charged under one key within a strict sliding window: what was charged at t counts in [t, t + windowMs) and has
 * left exactly at t + windowMs, so no span of that length ever holds more than the limit: no fixed windows with double
 * bursts at their edges, no weighted estimate.
 *
 * Charges are kept in slots of slotMs, and a slot counts whole until its latest charge has left: what is counted is never
 * less than what was charged, and comes back at most slotMs late. With slotMs 1 every charge keeps its own millisecond.
 * Time (`now`, ms since epoch) may step back: earlier than the last charge counts as that charge's time.
 *
 * A ring that is changed in place: asking and charging cost the same however full the window is.
 * @see RFC 6585 §4, RFC 9110 §10.2.3
 */
export class WindowCount {
  readonly #windowMs: number;
  /** two numbers a slot, the oldest at #head: ms since epoch of its latest charge, ascending; what was charged, integer > 0 */
  #ring: number[] = new Array<number>(2 * FIRST_CAPACITY).fill(0);
  /** one less than the numbers in the ring, which are as many as a power of two */
  #mask = 2 * FIRST_CAPACITY - 1;
  #head = 0;
  /** in numbers */
  #size = 0;
  #used = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** How many slots are kept now. */
  get length(): number {
    return this.#size / 2;
  }

  /** What counts now, integer >= 0. */
  used(now: number): number {
    if (this.#size === 0) return 0;
    const leaving = this.#noEarlier(now) - this.#windowMs;
    while (this.#size > 0 && this.#ring[this.#head]! <= leaving) {
      this.#used -= this.#ring[this.#head + 1]!;
      this.#head = (this.#head + 2) & this.#mask;
      this.#size -= 2;
    }
    return this.#used;
  }

  /**
   * @param limit may be tighter than the one that charges were admitted under (a share of it); the surplus has to leave first
   * @param cost  integer >= 0; nothing costs nothing, also when the window is overdrawn
   * @returns integer milliseconds, rounded up, until `cost` fits; 0 = it does; Infinity = it never will
   */
  waitFor(limit: number, cost: number, now: number): number {
    if (cost === 0) return 0;
    let excess = this.used(now) + cost - limit;
    if (excess <= 0) return 0;
    if (cost > limit) return Infinity;
    let slot = this.#head;
    while ((excess -= this.#ring[slot + 1]!) > 0) slot = (slot + 2) & this.#mask;
    return Math.ceil(this.#ring[slot]! + this.#windowMs - now);
  }

  /** Integer milliseconds, rounded up, until nothing counts any more unless more is charged; 0 = nothing does. */
  resetMs(now: number): number {
    return this.used(now) === 0 ? 0 : Math.ceil(this.#lastAt() + this.#windowMs - now);
  }

  /** True when nothing counts any more, so that forgetting all of it changes no answer. */
  isIdle(now: number): boolean {
    return this.#size === 0 || this.#lastAt() + this.#windowMs <= now;
  }

  /**
   * Charges `cost`, integer >= 0, whether it fits or not: ask {@link waitFor} first.
   * @returns ms since epoch: when it was charged, which {@link correct} wants back
   */
  charge(cost: number, slotMs: number, now: number): number {
    const at = this.#noEarlier(now);
    if (cost > 0) this.#add(at, cost, slotMs, -Infinity);
    return at;
  }

  /**
   * Corrects what was charged at `at` from `charged` to `used`; above it, the window may be overdrawn, since it has happened.
   * A slot that falls to zero is dropped, and what has left the window is left alone: nothing is ever kept as a credit.
   */
  correct(at: number, charged: number, used: number, slotMs: number, now: number): void {
    this.used(now);
    if (used !== charged) this.#add(at, used - charged, slotMs, this.#noEarlier(now) - this.#windowMs);
  }

  /** Forgets everything. */
  clear(): void {
    this.#ring = new Array<number>(2 * FIRST_CAPACITY).fill(0);
    this.#mask = 2 * FIRST_CAPACITY - 1;
    this.#head = this.#size = this.#used = 0;
  }

  #add(at: number, amount: number, slotMs: number, leaving: number): void {
    const index = Math.floor(at / slotMs);
    let place = this.#size;
    let slot = (this.#head + place - 2) & this.#mask;
    while (place > 0 && Math.floor(this.#ring[slot]! / slotMs) > index) {
      place -= 2;
      slot = (slot - 2) & this.#mask;
    }
    if (place > 0 && Math.floor(this.#ring[slot]! / slotMs) === index) {
      const before = this.#ring[slot + 1]!;
      const after = Math.max(0, before + amount);
      this.#used += after - before;
      this.#ring[slot + 1] = after;
      if (this.#ring[slot]! < at) this.#ring[slot] = at;
      if (after === 0) this.#drop(place - 2);
    } else if (amount > 0 && at > leaving) {
      this.#insert(place, at, amount);
      this.#used += amount;
    }
  }

  #insert(place: number, at: number, amount: number): void {
    if (this.#size === this.#ring.length) this.#grow();
    for (let i = this.#size; i > place; i -= 2) this.#move(i - 2, i);
    const slot = (this.#head + place) & this.#mask;
    this.#ring[slot] = at;
    this.#ring[slot + 1] = amount;
    this.#size += 2;
  }

  #drop(place: number): void {
    this.#size -= 2;
    for (let i = place; i < this.#size; i += 2) this.#move(i + 2, i);
  }

  #move(from: number, to: number): void {
    const source = (this.#head + from) & this.#mask;
    const target = (this.#head + to) & this.#mask;
    this.#ring[target] = this.#ring[source]!;
    this.#ring[target + 1] = this.#ring[source + 1]!;
  }

  #grow(): void {
    const { length } = this.#ring;
    const kept = [...this.#ring.slice(this.#head), ...this.#ring.slice(0, this.#head)];
    this.#ring = kept.concat(new Array<number>(length).fill(0));
    this.#mask = 2 * length - 1;
    this.#head = 0;
  }

  #lastAt(): number {
    return this.#ring[(this.#head + this.#size - 2) & this.#mask]!;
  }

  #noEarlier(now: number): number {
    return this.#size === 0 ? now : Math.max(now, this.#lastAt());
  }
}
