import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import { limitVerdict, type LimitQuestion, type LimitVerdict } from '@portcullis/contract/limits';
import * as z from 'zod';
import { Asking, noAnswer, type AskingParts } from './asking.http.js';
import type { AwayMemory } from './away.memory.js';
import { expectAmount, planOf } from './draws.js';
import { leaseNames } from './lease-names.js';
import type { Limiter } from './limiter.js';
import type { RuleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';
import { steadyClock } from './steady-clock.js';

export interface HttpLimiterParts extends AskingParts {
  /** that many random bytes, fit for secrets */
  random(size: number): Uint8Array;
  /** the rules that hold while the rate limiter is away; the house's own unless given */
  readonly table?: () => RuleTable;
  /** decides while the rate limiter is away, as each rule says */
  readonly away: AwayMemory;
}

const LEASE = /^[A-Za-z0-9_-]{22}$/;
const settledAnswer = z.object({ settled: z.boolean() });
const releasedAnswer = z.object({ released: z.boolean() });

/**
 * The limiter of a service that asks the rate-limiter service, in its own name: what it forwards are ids that it has
 * verified, never the token of its caller. Leases are bound to its client there, so that its replicas share them.
 *
 * While the rate limiter is away each rule holds as its `fail` says, by the same memory as where Redis is away: `closed`,
 * which is the default, refuses. A rate limiter that answers and is of no use refuses, whatever the rules say.
 */
export const httpLimiter = (parts: HttpLimiterParts): Limiter => new HttpLimiter(parts);

class HttpLimiter implements Limiter {
  readonly #asking: Asking;
  readonly #away: AwayMemory;
  readonly #table: () => RuleTable;
  readonly #newLease: () => string;
  readonly #now: () => number;
  #closed = false;

  constructor(parts: HttpLimiterParts) {
    this.#asking = new Asking(parts);
    this.#away = parts.away;
    this.#table = parts.table ?? (() => HOUSE_TABLE);
    this.#newLease = leaseNames(parts.random);
    this.#now = steadyClock(parts.now);
  }

  async decide(question: LimitQuestion, taker?: string): Promise<LimitVerdict> {
    this.#expectOpen(taker);
    const { tenant = DEFAULT_TENANT, stage = 'call' } = question;
    const isArrival = stage === 'arrival';
    const table = this.#table();
    // says what is wrong with the question before anybody is asked
    const draws = planOf(table)(question);
    const verdict = await this.#asking.ask('decide', { ...question, tenant }, (answer) => {
      const { data } = limitVerdict.safeParse(answer);
      return data?.allowed && (data.lease === '') !== isArrival ? undefined : data;
    });
    // what is optional in an answer is absent there, or it is a value
    if (verdict !== undefined) return verdict as LimitVerdict;
    const lease = isArrival ? '' : this.#newLease();
    return this.#away.decide(tenant, draws, lease, table.version, this.#now());
  }

  async settle(
    tenant: string,
    lease: string,
    llmTokens: number,
    costMicros?: number,
    taker?: string,
  ): Promise<boolean> {
    this.#expectOpen(taker);
    expectAmount('llmTokens', llmTokens);
    if (costMicros !== undefined) expectAmount('costMicros', costMicros);
    if (this.#away.settle(tenant, lease, llmTokens, costMicros, this.#now())) return true;
    const ended = await this.#end('settle', lease, { tenant, llmTokens, costMicros }, settledAnswer);
    return ended?.settled ?? false;
  }

  async release(tenant: string, lease: string, taker?: string): Promise<boolean> {
    this.#expectOpen(taker);
    if (this.#away.settle(tenant, lease, 0, 0, this.#now())) return true;
    const ended = await this.#end('release', lease, { tenant }, releasedAnswer);
    return ended?.released ?? false;
  }

  /** Connections are their owner's to close. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#away.clear();
  }

  /** @returns undefined for what cannot be a lease, so that nobody is asked */
  async #end<T>(path: string, lease: string, more: object, shape: z.ZodType<T>): Promise<T | undefined> {
    if (!LEASE.test(lease)) return undefined;
    const ended = await this.#asking.ask(path, { ...more, lease }, (answer) => shape.safeParse(answer).data);
    if (ended === undefined) throw noAnswer('a lease was perhaps not settled: the rate limiter gave no answer');
    return ended;
  }

  /**
   * @throws Refusal overloaded after the end; RangeError for a taker, whose name would not be kept: over HTTP a lease is
   *   bound to the client of the token
   */
  #expectOpen(taker: string | undefined): void {
    if (this.#closed) throw noAnswer('the limiter was closed');
    if (taker !== undefined) throw new RangeError('who takes a lease over HTTP is the client of the token');
  }
}
