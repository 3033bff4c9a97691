import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a nonce of ours says about the proof that carries it. */
export interface NonceAge {
  /** ms since epoch: nothing with this nonce is taken from then on */
  readonly until: number;
  /** there is a newer one, which the answer should bring */
  readonly aging: boolean;
}

/** Nonces that a resource server gives out, so that a proof cannot be made long before it is used (RFC 9449 §9). */
export interface Nonces {
  /** the newest */
  current(): string;
  /** @returns undefined for what is not ours, or no longer good */
  ageOf(nonce: string): NonceAge | undefined;
}

const STEP_MS = 60_000;
/** A nonce is good in the step it is given out in and the two after it: for two to three minutes. */
const STEPS = 3;

/**
 * Nonces without a store: HMAC-SHA-256 over the minute. They never come to life again, even when the clock steps back.
 * @param key 32 bytes, random at each start of the process where replays are kept in its memory (proof-replay.memory.ts):
 *   what a restart forgets was made with nonces that it no longer takes
 * @param now ms since epoch
 * @param runs what replays are kept in where it is shared (proof-replay.redis.ts): all nonces end when it says another text,
 *   since what was kept may be lost
 */
export function nonces(key: Uint8Array, now: () => number, runs: () => string = () => ''): Nonces {
  let latest = -1;
  let madeFor = '';
  let good: readonly Buffer[] = [];
  const nonceAt = (step: number): Buffer =>
    Buffer.from(createHmac('sha256', key).update(`portcullis/dpop-nonce/${step}/${madeFor}`).digest('base64url'));
  const refresh = (): void => {
    const [step, keptIn] = [Math.floor(now() / STEP_MS), runs()];
    if (step <= latest && keptIn === madeFor) return;
    latest = Math.max(step, latest);
    madeFor = keptIn;
    good = Array.from({ length: STEPS }, (_, age) => nonceAt(latest - age));
  };
  return {
    current() {
      refresh();
      return String(good[0]);
    },
    ageOf(nonce) {
      refresh();
      const given = Buffer.from(nonce);
      const age = good.findIndex((one) => one.length === given.length && timingSafeEqual(one, given));
      return age < 0 ? undefined : { until: (latest - age + STEPS) * STEP_MS, aging: age > 0 };
    },
  };
}
