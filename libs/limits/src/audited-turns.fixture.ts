import type { Turn } from './load-replica.fixture.js';

interface Charge {
  readonly at: number;
  amount: number;
}
/** A count as its events tell it, in two ways: every charge by itself, and in slots that count whole until their latest has left. */
interface Count {
  readonly charges: Charge[];
  readonly slots: Slots;
}
class Slots {
  #slots: { readonly index: number; at: number; amount: number }[] = [];

  constructor(
    readonly windowMs: number,
    readonly slotMs: number,
  ) {}

  used(now: number): number {
    this.#slots = this.#slots.filter(({ at }) => at > now - this.windowMs);
    return this.#slots.reduce((sum, { amount }) => sum + amount, 0);
  }

  charge(amount: number, now: number): void {
    if (amount === 0) return;
    const [index, last] = [Math.floor(now / this.slotMs), this.#slots.at(-1)];
    if (last?.index !== index) this.#slots.push({ index, at: now, amount });
    else Object.assign(last, { at: now, amount: last.amount + amount });
  }

  /** @param more may be negative */
  correct(at: number, more: number, now: number): void {
    if (more === 0) return;
    this.used(now);
    const index = Math.floor(at / this.slotMs);
    const slot = this.#slots.find((each) => each.index === index);
    if (slot !== undefined) Object.assign(slot, { at: Math.max(at, slot.at), amount: slot.amount + more });
    else if (more > 0 && at > now - this.windowMs) this.#slots.push({ index, at, amount: more });
    this.#slots = this.#slots.filter(({ amount }) => amount !== 0).sort((a, b) => a.index - b.index);
  }
}
interface Reserved {
  readonly count: Count;
  readonly charge: Charge;
  readonly kind: number;
  readonly windowMs: number;
}
interface Lease {
  readonly until: number;
  readonly reserved: readonly Reserved[];
}

/** What the audit saw, so that a test can tell that there was something to see. */
export interface Audit {
  readonly admitted: number;
  readonly refused: number;
  readonly settled: number;
  /** settlements of what was settled before, or never there */
  readonly unsettled: number;
  /** rules (the beginning of their keys) of which a window was full to the last unit */
  readonly filled: ReadonlySet<string>;
  /** rules that refused */
  readonly refusing: ReadonlySet<string>;
  /** what was not as it must be; the first few */
  readonly wrong: readonly string[];
}

const NUMBERS = 6;
const [TOKENS, MICROS, PLACE] = [1, 2, 3];
const REPORTED = 10;

/**
 * Goes through all that a script was asked and answered, in the order in which it ran, and counts everything anew from these
 * events alone. Wrong is: a draw that did not stand as the model says (so also one that a refusal before it had charged, and a
 * count below nothing); an admission with which any span of the window's length holds more than the limit; a lease that was
 * settled twice, or not although it was there; time that ran backwards; a run of the script that nobody reported.
 */
export function audited(turns: readonly Turn[]): Audit {
  const counts = new Map<string, Count>();
  const leases = new Map<string, Lease>();
  const [filled, refusing, wrong] = [new Set<string>(), new Set<string>(), new Array<string>()];
  let [admitted, refused, settled, unsettled, before] = [0, 0, 0, 0, 0];
  const expectThat = (holds: boolean, what: () => string): void => {
    if (!holds && wrong.length < REPORTED) wrong.push(what());
  };

  const settle = (lease: string, used: readonly number[], now: number): boolean => {
    const { until, reserved } = leases.get(lease) ?? { until: 0, reserved: [] };
    leases.delete(lease);
    if (until <= now) return false;
    for (const { count, charge, kind, windowMs } of reserved) {
      const really = kind === TOKENS ? used[0]! : kind === MICROS ? used[1]! : kind === PLACE ? 0 : charge.amount;
      if (really < 0) continue;
      count.slots.correct(charge.at, really - charge.amount, now);
      // what has left the window is left alone, and what was nothing is charged when it is known, in its place
      if (really <= charge.amount || charge.at > now - windowMs) charge.amount = really;
    }
    return true;
  };

  [...turns]
    .sort((a, b) => a.order - b.order)
    .forEach(({ order, keys, args, answer }, n) => {
      const [now, named] = [answer[0]!, Number(args[2])];
      expectThat(order === n + 1, () => `run ${n + 1} of the script is missing`);
      expectThat(now >= before, () => `time ran backwards at ${order}`);
      before = now;
      let place = 1;
      for (const operation of JSON.parse(args[3]!) as number[][]) {
        const [what = 0] = operation;
        const lease = what === 0 ? undefined : keys[named + Math.abs(what) - 1];
        if (what < 0) {
          const took = settle(lease!, operation.slice(1), now);
          expectThat(answer[place] === Number(took), () => `a lease was settled wrongly at ${order}`);
          if (took) settled += 1;
          else unsettled += 1;
          place += 1;
          continue;
        }
        const draws = Array.from({ length: (operation.length - 1) / NUMBERS }, (_, i) => {
          const [key, limit, windowMs, slotMs, cost, kind] = operation.slice(1 + NUMBERS * i) as Six;
          const name = keys[key - 1]!;
          let count = counts.get(name);
          if (count === undefined) counts.set(name, (count = { charges: [], slots: new Slots(windowMs, slotMs) }));
          const [remaining, retry] = answer.slice(place + 3 * i) as [number, number];
          return { rule: ruleOf(name), limit, windowMs, cost, kind, count, remaining, retry };
        });
        place += 3 * draws.length;
        for (const { rule, limit, cost, count, remaining, retry } of draws) {
          const used = cost === 0 ? 0 : count.slots.used(now);
          expectThat(used >= 0 && remaining <= limit, () => `${rule} was settled below nothing, to ${used}`);
          expectThat(
            remaining === Math.max(0, limit - used),
            () => `${rule} had ${limit - used} left, not ${remaining}`,
          );
          const fits = cost === 0 || used + cost <= limit;
          expectThat(fits === (retry === 0), () => `${rule} held ${used} of ${limit}; ${cost} had to wait ${retry}`);
          if (retry !== 0) refusing.add(rule);
        }
        if (draws.some(({ retry }) => retry !== 0)) {
          refused += 1;
          continue;
        }
        admitted += 1;
        const reserved = draws.map(({ rule, limit, windowMs, cost, kind, count }) => {
          const charge = { at: now, amount: cost };
          count.slots.charge(cost, now);
          forgetBefore(count.charges, now - 2 * windowMs);
          count.charges.push(charge);
          const held = heldIn(count.charges, now - windowMs);
          expectThat(cost === 0 || held <= limit, () => `${rule} held ${held} of ${limit} at ${order}`);
          if (held === limit) filled.add(rule);
          return { count, charge, kind, windowMs };
        });
        if (lease !== undefined) leases.set(lease, { until: now + Number(args[1]), reserved });
      }
    });
  return { admitted, refused, settled, unsettled, filled, refusing, wrong };
}

type Six = [number, number, number, number, number, number];

/** `{tenant}:limit/RULE/…` */
const ruleOf = (key: string): string => key.split('/')[1]!;

/** All that was charged after `since`, up to the last charge: with the limit held at each charge, it is in every span. */
function heldIn(charges: readonly Charge[], since: number): number {
  let sum = 0;
  for (let i = charges.length - 1; i >= 0 && charges[i]!.at > since; i--) sum += charges[i]!.amount;
  return sum;
}

function forgetBefore(charges: Charge[], since: number): void {
  const first = charges.findIndex(({ at }) => at > since);
  if (first > 100) charges.splice(0, first);
}
