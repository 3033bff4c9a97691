import type { LimitVerdict } from '@portcullis/contract/limits';
import { isRequests, type Draw } from './draws.js';
import type { Refused } from './verdict.js';

interface Remembered {
  readonly verdict: Refused;
  readonly cost: number;
  /** ms, on the clock that is given */
  readonly until: number;
}

/** A wait that is over sooner is not worth remembering. */
const WORTH_MS = 20;

/**
 * Who was refused, and until when nothing can change that: who is far over its limit is refused from here, without asking
 * anybody. Only windows of requests are remembered: their permits come back by time alone, while what is reserved (LLM
 * tokens, cost, concurrency) may be given back at any moment.
 */
export class RefusedMemory {
  readonly #most: number;
  /** the oldest first */
  readonly #remembered = new Map<string, Remembered>();

  /** @param most counts remembered at once; beyond that the oldest is forgotten, and asked about again; 0 = none */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#remembered.size;
  }

  /** @param askedAt ms: when the question was sent, so that it is never refused beyond the reset. @param draw that refused */
  remember(tenant: string, draw: Draw, verdict: Refused, askedAt: number): void {
    if (!isRequests(draw) || verdict.impossible || verdict.retryAfterMs < WORTH_MS) return;
    const key = keyOf(tenant, draw);
    this.#remembered.delete(key);
    if (this.#remembered.size >= this.#most) {
      for (const oldest of this.#remembered.keys()) {
        this.#remembered.delete(oldest);
        break;
      }
    }
    if (this.#most > 0) this.#remembered.set(key, { verdict, cost: draw.cost, until: askedAt + verdict.retryAfterMs });
  }

  /** @returns the refusal, as it is by now; undefined = the limiter has to be asked */
  find(tenant: string, draws: readonly Draw[], now: number): LimitVerdict | undefined {
    if (this.#remembered.size === 0) return undefined;
    for (const draw of draws) {
      if (!isRequests(draw)) continue;
      const key = keyOf(tenant, draw);
      const found = this.#remembered.get(key);
      if (found === undefined) continue;
      const { verdict, cost, until } = found;
      const leftMs = Math.ceil(until - now);
      if (leftMs <= 0) this.#remembered.delete(key);
      // less of a cost, or more of a limit, may fit before
      else if (draw.cost >= cost && draw.limit <= verdict.limit) {
        const passed = verdict.retryAfterMs - leftMs;
        const reset = verdict.resetMs === undefined ? {} : { resetMs: Math.max(leftMs, verdict.resetMs - passed) };
        return { ...verdict, retryAfterMs: leftMs, ...reset };
      }
    }
    return undefined;
  }

  clear(): void {
    this.#remembered.clear();
  }
}

/** A tenant's slug has no slash. */
const keyOf = (tenant: string, { key }: Draw): string => `${tenant}/${key}`;
