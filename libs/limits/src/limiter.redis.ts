import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { LimitQuestion, LimitVerdict } from '@portcullis/contract/limits';
import { Refusal } from '@portcullis/contract/refusals';
import type { KeyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import type { AwayMemory } from './away.memory.js';
import { DECIDE } from './decide-script.js';
import { expectAmount, makePlan, type DrawPlan } from './draws.js';
import { heldAs, leaseNames } from './lease-names.js';
import type { Limiter } from './limiter.js';
import type { RefusedMemory } from './refused.memory.js';
import type { RuleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';
import { steadyClock } from './steady-clock.js';
import { decodeTurn, encodeTurn, type DecodedTurn, type DrawState, type Operation } from './turn.js';
import { longestWait, verdictOf } from './verdict.js';

export interface RedisLimiterParts {
  /** all replicas on the same one; it answers within its deadline or throws */
  readonly redis: Pick<Redis, 'run'>;
  /** the rules that hold now; asked at every decision. The house's own unless given */
  readonly table?: () => RuleTable;
  /** names users, addresses and delegation chains in the store, which are somebody's; the same for all that ask about one tenant */
  readonly idOf: KeyedId;
  /** that many random bytes, fit for secrets */
  random(size: number): Uint8Array;
  /** ms on a clock of this process, which decides nothing but how long Redis is left alone and a refusal remembered */
  now(): number;
  /** ms since epoch instead of the time of Redis, for tests that turn the clock */
  readonly serverNow?: () => number;
  /** decides while Redis is away, as each rule says */
  readonly away: AwayMemory;
  /** remembers who is far over a limit */
  readonly refused: RefusedMemory;
  /** hears once of each time that Redis stops answering */
  onAway?(error: unknown): void;
}

/** Redis that did not answer is left alone for so long; meanwhile questions are answered without it, at once. */
const LEFT_ALONE_MS = 200;
/** What one script may be asked, so that no other waits long for it. */
const OPERATIONS_AT_MOST = 32;

interface Waiting {
  readonly operation: Operation;
  /** what the operation came to; undefined = Redis gave no answer */
  answered(answer: readonly DrawState[] | boolean | undefined): void;
  failed(error: unknown): void;
}

/**
 * The limiter of many processes on one Redis. What one tenant is asked in one turn of the event loop goes there together, and
 * is decided by one script as one step (decide-script.ts), on the time of Redis.
 *
 * While Redis is away each rule holds as its `fail` says, the strictest of those that a question touches; whatever was charged
 * without an answer stays charged there. So in any window, with limit L: `closed` admits no more than L as long as Redis keeps
 * what it was told, and L more each time it loses that (a restart without its data, a failover to a replica that lags).
 * `share` admits besides at most L over all replicas, however often Redis goes and comes back. `open` is not bounded.
 */
export const redisLimiter = (parts: RedisLimiterParts): Limiter => new RedisLimiter(parts);

class RedisLimiter implements Limiter {
  readonly #parts: RedisLimiterParts;
  readonly #newLease: () => string;
  readonly #now: () => number;
  readonly #table: () => RuleTable;
  readonly #refused: RefusedMemory;
  readonly #away: AwayMemory;
  #planned: RuleTable | undefined;
  /** of that table */
  #plan!: DrawPlan;
  #turns = new Map<string, Waiting[]>();
  /** ms; Redis is not asked before. -Infinity = it answers */
  #awayUntil = -Infinity;
  #probing = false;
  #closed = false;

  constructor(parts: RedisLimiterParts) {
    this.#parts = parts;
    this.#table = parts.table ?? (() => HOUSE_TABLE);
    this.#newLease = leaseNames(parts.random);
    this.#now = steadyClock(parts.now);
    this.#refused = parts.refused;
    this.#away = parts.away;
  }

  decide(question: LimitQuestion, taker?: string): LimitVerdict | Promise<LimitVerdict> {
    if (this.#closed) throw noAnswer('the limiter was closed');
    const table = this.#table();
    const draws = this.#planOf(table)(question);
    const { tenant = DEFAULT_TENANT, stage = 'call' } = question;
    const askedAt = this.#now();
    const refused = this.#refused.find(tenant, draws, askedAt);
    if (refused) return refused;
    const lease = stage === 'arrival' ? '' : this.#newLease();
    const withoutRedis = (own: string): LimitVerdict =>
      this.#away.decide(tenant, draws, own, table.version, this.#now(), taker);
    if (this.#isLeftAlone()) return withoutRedis(lease);
    return new Promise((resolve, reject) => {
      this.#ask(tenant, {
        operation: { draws, lease: heldAs(lease, taker) },
        answered: (states) => {
          // another lease: Redis may have taken the first one, without saying so
          if (typeof states !== 'object') return resolve(withoutRedis(lease === '' ? '' : this.#newLease()));
          const verdict = verdictOf(draws, states, lease, table.version);
          if (!verdict.allowed) this.#refused.remember(tenant, draws[longestWait(states)]!, verdict, askedAt);
          resolve(verdict);
        },
        failed: reject,
      });
    });
  }

  settle(
    tenant: string,
    lease: string,
    llmTokens: number,
    costMicros?: number,
    taker?: string,
  ): boolean | Promise<boolean> {
    expectAmount('llmTokens', llmTokens);
    if (costMicros !== undefined) expectAmount('costMicros', costMicros);
    const settled = heldAs(lease, taker);
    if (this.#away.settle(tenant, settled, llmTokens, costMicros, this.#now())) return true;
    return this.#settle(tenant, { settled, llmTokens, costMicros });
  }

  release(tenant: string, lease: string, taker?: string): boolean | Promise<boolean> {
    return this.settle(tenant, lease, 0, 0, taker);
  }

  /** What is waited for gets a Refusal. The connection is its owner's to close. */
  async close(): Promise<void> {
    this.#closed = true;
    const turns = this.#turns;
    this.#turns = new Map();
    for (const waiting of turns.values()) for (const each of waiting) each.failed(noAnswer('the limiter was closed'));
    this.#refused.clear();
    this.#away.clear();
  }

  async #settle(tenant: string, operation: Operation): Promise<boolean> {
    if (this.#closed) throw noAnswer('the limiter was closed');
    if (this.#isLeftAlone()) throw noAnswer('a lease cannot be settled while Redis is away');
    return new Promise((resolve, reject) => {
      this.#ask(tenant, {
        operation,
        answered: (settled) => {
          if (typeof settled === 'boolean') resolve(settled);
          else reject(noAnswer('a lease was perhaps not settled: Redis gave no answer'));
        },
        failed: reject,
      });
    });
  }

  #planOf(table: RuleTable): DrawPlan {
    if (table === this.#planned) return this.#plan;
    const { idOf } = this.#parts;
    this.#planned = table;
    return (this.#plan = makePlan(table, (tenant, dimension, names) => idOf(tenant, dimension, ...names)));
  }

  /** Redis did not answer a moment ago; one turn at a time finds out whether it does again. */
  #isLeftAlone(): boolean {
    return this.#awayUntil > -Infinity && (this.#probing || this.#now() < this.#awayUntil);
  }

  #ask(tenant: string, waiting: Waiting): void {
    const asked = this.#turns.get(tenant);
    if (asked === undefined) {
      if (this.#turns.size === 0) setImmediate(() => this.#flush());
      this.#turns.set(tenant, [waiting]);
    } else asked.push(waiting);
  }

  #flush(): void {
    const turns = this.#turns;
    this.#turns = new Map();
    this.#probing = this.#awayUntil > -Infinity;
    for (const [tenant, waiting] of turns) {
      for (let from = 0; from < waiting.length; from += OPERATIONS_AT_MOST) {
        void this.#run(tenant, waiting.slice(from, from + OPERATIONS_AT_MOST));
      }
    }
  }

  async #run(tenant: string, waiting: readonly Waiting[]): Promise<void> {
    const operations = waiting.map(({ operation }) => operation);
    let answers: DecodedTurn['answers'] | undefined;
    try {
      const { keys, args } = encodeTurn(tenant, operations, this.#parts.serverNow?.());
      ({ answers } = decodeTurn(operations, await this.#parts.redis.run(DECIDE, keys, args)));
      this.#awayUntil = -Infinity;
    } catch (error) {
      const wasThere = this.#awayUntil === -Infinity;
      this.#awayUntil = this.#now() + LEFT_ALONE_MS;
      if (wasThere) this.#parts.onAway?.(error);
    }
    this.#probing = false;
    waiting.forEach((each, i) => {
      try {
        each.answered(answers?.[i]);
      } catch (error) {
        each.failed(error);
      }
    });
  }
}

const noAnswer = (detail: string): Refusal => new Refusal('overloaded', { retryAfterMs: LEFT_ALONE_MS }, { detail });
