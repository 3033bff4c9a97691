import { limitVerdict, type LimitQuestion, type LimitVerdict } from '@portcullis/contract/limits';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import type { Secret } from '@portcullis/contract/secret';
import * as z from 'zod';
import type { AwayMemory } from './away.memory.js';
import { expectAmount, planOf } from './draws.js';
import { leaseNames } from './lease-names.js';
import type { Limiter } from './limiter.js';
import type { RuleTable } from './rule-table.js';
import { HOUSE_TABLE } from './rules.js';
import { steadyClock } from './steady-clock.js';

/** A POST to a service of ours, bounded in time and size; connections are kept. */
type Post = (
  url: string,
  init: {
    readonly method: 'POST';
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly timeoutMs: number;
    readonly maxBytes: number;
  },
) => Promise<Response>;

export interface HttpLimiterParts {
  /** where the rate limiter is, without a trailing slash */
  readonly url: string;
  readonly post: Post;
  /** tokens of this service for the rate limiter: good for limits:decide, and of all tenants where it asks about several */
  readonly tokens: {
    token(): Secret | Promise<Secret>;
    /** the rate limiter did not take it; the next one may be another */
    refused(token: Secret): void;
  };
  /** ms that one answer may take, with the token that it needs; 250 unless given */
  readonly deadlineMs?: number;
  /** ms on a clock of this process, which decides nothing but how long the rate limiter is left alone */
  now(): number;
  /** that many random bytes, fit for secrets */
  random(size: number): Uint8Array;
  /** the rules that hold while the rate limiter is away; the house's own unless given */
  readonly table?: () => RuleTable;
  /** decides while the rate limiter is away, as each rule says */
  readonly away: AwayMemory;
  /** hears once of each time that the rate limiter stops answering, or stops letting this service in */
  onAway?(error: unknown): void;
}

/** A rate limiter that did not answer is left alone for so long; meanwhile questions are answered without it, at once. */
const LEFT_ALONE_MS = 200;
const MAX_BYTES = 16 * 1024;
const LEASE = /^[A-Za-z0-9_-]{22}$/;
const settledAnswer = z.object({ settled: z.boolean() });
const releasedAnswer = z.object({ released: z.boolean() });

/** No answer was had, which says nothing about the question. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * The limiter of a service that asks the rate-limiter service, in its own name: what it forwards are ids that it has
 * verified, never the token of its caller. Leases are bound to its client there, so that its replicas share them.
 *
 * While the rate limiter is away (no connection, no answer in time, a 5xx, no token for it) each rule holds as its `fail` says, by the
 * same memory as where Redis is away: `closed`, which is the default, refuses. A rate limiter that answers, but does not let this service
 * in or says what cannot be, refuses, whatever the rules say.
 */
export const httpLimiter = (parts: HttpLimiterParts): Limiter => new HttpLimiter(parts);

class HttpLimiter implements Limiter {
  readonly #parts: HttpLimiterParts;
  readonly #deadlineMs: number;
  readonly #table: () => RuleTable;
  readonly #newLease: () => string;
  readonly #now: () => number;
  /** ms; the rate limiter is not asked before. -Infinity = it answers */
  #awayUntil = -Infinity;
  #probing = false;
  #closed = false;

  constructor(parts: HttpLimiterParts) {
    this.#parts = parts;
    this.#deadlineMs = parts.deadlineMs ?? 250;
    this.#table = parts.table ?? (() => HOUSE_TABLE);
    this.#newLease = leaseNames(parts.random);
    this.#now = steadyClock(parts.now);
  }

  async decide(question: LimitQuestion, taker?: string): Promise<LimitVerdict> {
    ownName(taker);
    const { tenant = DEFAULT_TENANT, stage = 'call' } = question;
    const isArrival = stage === 'arrival';
    // says what is wrong with the question before anybody is asked
    const draws = planOf(this.#table())(question);
    const answer = await this.#ask('decide', { ...question, tenant });
    if (answer === undefined) {
      const lease = isArrival ? '' : this.#newLease();
      return this.#parts.away.decide(tenant, draws, lease, this.#table().version, this.#now());
    }
    const { data } = limitVerdict.safeParse(answer);
    if (data === undefined || (data.allowed && (data.lease === '') !== isArrival)) throw this.#refuse('no verdict');
    return data as LimitVerdict;
  }

  async settle(
    tenant: string,
    lease: string,
    llmTokens: number,
    costMicros?: number,
    taker?: string,
  ): Promise<boolean> {
    ownName(taker);
    expectAmount('llmTokens', llmTokens);
    if (costMicros !== undefined) expectAmount('costMicros', costMicros);
    if (this.#parts.away.settle(tenant, lease, llmTokens, costMicros, this.#now())) return true;
    if (!LEASE.test(lease)) return false;
    const { settled } = await this.#end('settle', { tenant, lease, llmTokens, costMicros }, settledAnswer);
    return settled;
  }

  async release(tenant: string, lease: string, taker?: string): Promise<boolean> {
    ownName(taker);
    if (this.#parts.away.settle(tenant, lease, 0, 0, this.#now())) return true;
    if (!LEASE.test(lease)) return false;
    const { released } = await this.#end('release', { tenant, lease }, releasedAnswer);
    return released;
  }

  /** Connections are their owner's to close. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.away.clear();
  }

  async #end<T>(path: string, body: object, shape: z.ZodType<T>): Promise<T> {
    const answer = await this.#ask(path, body);
    if (answer === undefined) throw noAnswer('a lease was perhaps not settled: the rate limiter gave no answer');
    const { data } = shape.safeParse(answer);
    if (data === undefined) throw this.#refuse('no word on a lease');
    return data;
  }

  /**
   * @returns what was answered; undefined = the rate limiter is away
   * @throws Refusal overloaded, RangeError for what it takes for a mistake of the asker
   */
  async #ask(path: string, body: object): Promise<unknown> {
    if (this.#closed) throw noAnswer('the limiter was closed');
    if (this.#isLeftAlone()) return undefined;
    const probes = this.#awayUntil > -Infinity;
    if (probes) this.#probing = true;
    try {
      const response = await this.#post(path, JSON.stringify(body));
      const { status } = response;
      if (status === 400) throw new RangeError('the rate limiter takes this for no question');
      if (status !== 200) throw this.#refuse(`status ${status}`);
      const answer = await response.json().catch(() => undefined);
      if (answer === undefined) throw this.#refuse('no JSON');
      this.#awayUntil = -Infinity;
      return answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.#stopped(error.cause ?? error);
      return undefined;
    } finally {
      if (probes) this.#probing = false;
    }
  }

  /** Asks, and once more with another token where the first is not taken: it may have been revoked, or signed with a key that is gone. */
  async #post(path: string, body: string): Promise<Response> {
    const ends = this.#now() + this.#deadlineMs;
    for (let attempt = 0; ; attempt++) {
      const token = await this.#token(ends);
      const response = await this.#parts
        .post(`${this.#parts.url}/v1/${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token.reveal()}`, 'content-type': 'application/json' },
          body,
          timeoutMs: Math.max(1, Math.ceil(ends - this.#now())),
          maxBytes: MAX_BYTES,
        })
        .catch((cause: unknown) => {
          throw new NoAnswer('no answer', { cause });
        });
      if (response.status >= 500) throw new NoAnswer(`the rate limiter answers ${response.status}`);
      if (response.status !== 401) return response;
      this.#parts.tokens.refused(token);
      if (attempt > 0 || this.#parts.tokens.token() === token) return response;
    }
  }

  /** @throws NoAnswer when there is none in time */
  async #token(ends: number): Promise<Secret> {
    const token = this.#parts.tokens.token();
    if (!(token instanceof Promise)) return token;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the token is not there in time')), ends - this.#now());
    });
    try {
      return await Promise.race([token, late]);
    } catch (cause) {
      throw new NoAnswer('no token', { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** It did not answer a moment ago; one question at a time finds out whether it does again. */
  #isLeftAlone(): boolean {
    return this.#awayUntil > -Infinity && (this.#probing || this.#now() < this.#awayUntil);
  }

  #stopped(error: unknown): void {
    const wasThere = this.#awayUntil === -Infinity;
    this.#awayUntil = this.#now() + LEFT_ALONE_MS;
    if (wasThere) this.#parts.onAway?.(error);
  }

  #refuse(what: string): Refusal {
    return noAnswer(`the rate limiter answers ${what}`);
  }
}

/** @throws RangeError for a name that would not be kept: the lease is bound to the client of the token */
function ownName(taker: string | undefined): void {
  if (taker !== undefined) throw new RangeError('who takes a lease over HTTP is the client of the token');
}

const noAnswer = (detail: string): Refusal => new Refusal('overloaded', { retryAfterMs: LEFT_ALONE_MS }, { detail });
