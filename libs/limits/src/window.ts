/** At most `limit` in any span of `windowMs`. */
export interface WindowRule {
  /** permits, LLM tokens or whatever is counted, integer >= 1 */
  readonly limit: number;
  readonly windowMs: number;
}

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
  /** ms since epoch: the latest charge of each slot, ascending; as many as a power of two */
  #lastAt: number[] = new Array<number>(FIRST_CAPACITY).fill(0);
  /** what was charged in each slot, integer > 0 */
  #amounts: number[] = new Array<number>(FIRST_CAPACITY).fill(0);
  #head = 0;
  #length = 0;
  #used = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** How many slots are kept now. */
  get length(): number {
    return this.#length;
  }

  /** What counts now, integer >= 0. */
  used(now: number): number {
    const leaving = this.#noEarlier(now) - this.#windowMs;
    const mask = this.#lastAt.length - 1;
    while (this.#length > 0 && this.#lastAt[this.#head]! <= leaving) {
      this.#used -= this.#amounts[this.#head]!;
      this.#head = (this.#head + 1) & mask;
      this.#length -= 1;
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
    const mask = this.#lastAt.length - 1;
    let slot = this.#head;
    while ((excess -= this.#amounts[slot]!) > 0) slot = (slot + 1) & mask;
    return Math.ceil(this.#lastAt[slot]! + this.#windowMs - now);
  }

  /** Integer milliseconds, rounded up, until nothing counts any more unless more is charged; 0 = nothing does. */
  resetMs(now: number): number {
    return this.used(now) === 0 ? 0 : Math.ceil(this.#lastAtEnd() + this.#windowMs - now);
  }

  /** True when nothing counts any more, so that forgetting all of it changes no answer. */
  isIdle(now: number): boolean {
    return this.#length === 0 || this.#lastAtEnd() + this.#windowMs <= now;
  }

  /**
   * Charges `cost`, integer >= 0, whether it fits or not: ask {@link waitFor} first.
   * @returns ms since epoch: when it was charged, which {@link correct} wants back
   */
  charge(cost: number, slotMs: number, now: number): number {
    const at = this.#noEarlier(now);
    if (cost > 0) this.#add(at, cost, slotMs);
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

  #add(at: number, amount: number, slotMs: number, leaving = -Infinity): void {
    const mask = this.#lastAt.length - 1;
    const index = Math.floor(at / slotMs);
    let place = this.#length;
    while (place > 0 && Math.floor(this.#lastAt[(this.#head + place - 1) & mask]! / slotMs) > index) place -= 1;
    const slot = (this.#head + place - 1) & mask;
    if (place > 0 && Math.floor(this.#lastAt[slot]! / slotMs) === index) {
      const total = Math.max(0, this.#amounts[slot]! + amount);
      this.#used += total - this.#amounts[slot]!;
      this.#amounts[slot] = total;
      if (this.#lastAt[slot]! < at) this.#lastAt[slot] = at;
      if (total === 0) this.#drop(place - 1);
    } else if (amount > 0 && at > leaving) {
      this.#insert(place, at, amount);
      this.#used += amount;
    }
  }

  #insert(place: number, at: number, amount: number): void {
    if (this.#length === this.#lastAt.length) this.#grow();
    const mask = this.#lastAt.length - 1;
    for (let i = this.#length; i > place; i--) this.#move((this.#head + i - 1) & mask, (this.#head + i) & mask);
    const slot = (this.#head + place) & mask;
    this.#lastAt[slot] = at;
    this.#amounts[slot] = amount;
    this.#length += 1;
  }

  #drop(place: number): void {
    const mask = this.#lastAt.length - 1;
    this.#length -= 1;
    for (let i = place; i < this.#length; i++) this.#move((this.#head + i + 1) & mask, (this.#head + i) & mask);
  }

  #move(from: number, to: number): void {
    this.#lastAt[to] = this.#lastAt[from]!;
    this.#amounts[to] = this.#amounts[from]!;
  }

  #grow(): void {
    const turned = (ring: readonly number[]): number[] => [
      ...ring.slice(this.#head),
      ...ring.slice(0, this.#head),
      ...new Array<number>(ring.length).fill(0),
    ];
    this.#lastAt = turned(this.#lastAt);
    this.#amounts = turned(this.#amounts);
    this.#head = 0;
  }

  #lastAtEnd(): number {
    return this.#lastAt[(this.#head + this.#length - 1) & (this.#lastAt.length - 1)]!;
  }

  #noEarlier(now: number): number {
    return this.#length === 0 ? now : Math.max(now, this.#lastAtEnd());
  }
}
