interface Charged {
  readonly at: number;
  readonly amount: number;
}

/**
 * The plainest model of a window there is: every charge is kept, and all is counted anew for every question. Slow, and so
 * obviously right that it is worth disagreeing with. What `WindowCount` and any other counter must answer.
 */
export class WindowModel {
  #charged: Charged[] = [];

  constructor(
    readonly windowMs: number,
    readonly slotMs: number,
  ) {}

  used(now: number): number {
    this.#forget(now);
    return this.#charged.reduce((sum, { amount }) => sum + amount, 0);
  }

  waitFor(limit: number, cost: number, now: number): number {
    if (cost === 0 || this.used(now) + cost <= limit) return 0;
    if (cost > limit) return Infinity;
    const leaves = this.#leaves();
    const enough = this.#charged
      .map(leaves)
      .sort(ascending)
      .find((time) => {
        const left = this.#charged.filter((each) => leaves(each) > time);
        return left.reduce((sum, { amount }) => sum + amount, 0) + cost <= limit;
      });
    return enough! - now;
  }

  resetMs(now: number): number {
    this.#forget(now);
    return this.#charged.length === 0 ? 0 : Math.max(...this.#charged.map(this.#leaves())) - now;
  }

  charge(cost: number, now: number): number {
    this.#forget(now);
    const at = this.#noEarlier(now);
    if (cost > 0) this.#charged.push({ at, amount: cost });
    return at;
  }

  correct(at: number, charged: number, used: number, now: number): void {
    this.#forget(now);
    if (used === charged) return;
    const ofSlot = this.#charged.filter((each) => this.#slot(each.at) === this.#slot(at));
    const amount = used - charged;
    if (ofSlot.length === 0 && (amount <= 0 || at + this.windowMs <= this.#noEarlier(now))) return;
    this.#charged.push({ at, amount });
    const total = ofSlot.reduce((sum, each) => sum + each.amount, amount);
    if (total <= 0) this.#charged = this.#charged.filter((each) => this.#slot(each.at) !== this.#slot(at));
  }

  /** Says when a charge stops counting: with the latest of its slot. */
  #leaves(): (charged: Charged) => number {
    const latest = new Map<number, number>();
    for (const { at } of this.#charged) latest.set(this.#slot(at), Math.max(at, latest.get(this.#slot(at)) ?? at));
    return ({ at }) => latest.get(this.#slot(at))! + this.windowMs;
  }

  #forget(now: number): void {
    const time = this.#noEarlier(now);
    const leaves = this.#leaves();
    this.#charged = this.#charged.filter((each) => leaves(each) > time);
  }

  #slot = (at: number): number => Math.floor(at / this.slotMs);
  #noEarlier = (now: number): number => Math.max(now, ...this.#charged.map(({ at }) => at));
}

const ascending = (a: number, b: number): number => a - b;
