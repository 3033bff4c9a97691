import { Refusal } from '@portcullis/contract/refusals';
import type { Secret } from '@portcullis/contract/secret';
import { steadyClock } from './steady-clock.js';

/** A POST to a service of ours, bounded in time and size; connections are kept. */
export type Post = (
  url: string,
  init: {
    readonly method: 'POST';
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly timeoutMs: number;
    readonly maxBytes: number;
  },
) => Promise<Response>;

export interface AskingParts {
  /** where the rate limiter is, without a trailing slash */
  readonly url: string;
  readonly post: Post;
  /** tokens of this service for the rate limiter: good for limits:decide, and of all tenants where it asks about several */
  readonly tokens: {
    token(): Secret | Promise<Secret>;
    /** The rate limiter did not take it. @returns true when there may be another one now */
    refused(token: Secret): boolean;
  };
  /** ms that one answer may take, with the token that it needs; 250 unless given */
  readonly deadlineMs?: number;
  /** ms on a clock of this process, which decides nothing but how long the rate limiter is left alone */
  now(): number;
  /** hears once of each time that the rate limiter stops answering, or answers what is of no use */
  onAway?(error: unknown): void;
}

/** A rate limiter that did not answer is left alone for so long; meanwhile nobody waits to see it again. */
const LEFT_ALONE_MS = 200;
const MAX_BYTES = 16 * 1024;
/** Errors of a request that got no answer; any other is about the answer. */
const UNREACHED: ReadonlySet<string> = new Set(['TypeError', 'TimeoutError', 'AbortError']);

/** No answer was had, which says nothing about the question. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Asks the rate-limiter service, in the name of this one. */
export class Asking {
  readonly #parts: AskingParts;
  readonly #deadlineMs: number;
  readonly #now: () => number;
  /** ms; the rate limiter is not asked before. -Infinity = it answers */
  #awayUntil = -Infinity;
  #probing = false;
  /** ms; until then this service is not let in, whatever it asks */
  #shutOutUntil = -Infinity;
  /** {@link AskingParts.onAway} has heard of the present trouble */
  #told = false;

  constructor(parts: AskingParts) {
    this.#parts = parts;
    this.#deadlineMs = parts.deadlineMs ?? 250;
    this.#now = steadyClock(parts.now);
  }

  /**
   * @param path  below /v1/
   * @param shape what the answer says; undefined = it cannot be
   * @returns undefined when the rate limiter is away: no connection, no answer in time, a 5xx, or no token for it
   * @throws Refusal overloaded when it answers, but cannot decide, does not let this service in, or says what cannot be;
   *   RangeError for what it takes for a mistake of the asker
   */
  async ask<T>(path: string, body: object, shape: (answer: unknown) => T | undefined): Promise<T | undefined> {
    if (this.#now() < this.#shutOutUntil) throw noAnswer('the rate limiter does not let this service in');
    const isAway = this.#awayUntil > -Infinity;
    // it did not answer a moment ago; one question at a time finds out whether it does again
    if (isAway && (this.#probing || this.#now() < this.#awayUntil)) return undefined;
    this.#probing = isAway;
    try {
      const response = await this.#post(path, JSON.stringify(body));
      this.#awayUntil = -Infinity;
      if (response.status === 400) throw new RangeError('the rate limiter takes this for no question');
      // a token that is not taken would be counted against the address of this service with every question
      if (response.status === 401 || response.status === 429) this.#shutOutUntil = this.#now() + LEFT_ALONE_MS;
      if (response.status !== 200) throw this.#useless(`status ${response.status}`);
      const said = shape(await response.json().catch(() => undefined));
      if (said === undefined) throw this.#useless('what cannot be');
      this.#told = false;
      return said;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.#awayUntil = this.#now() + LEFT_ALONE_MS;
      this.#tell(error.cause ?? error);
      return undefined;
    } finally {
      if (isAway) this.#probing = false;
    }
  }

  /**
   * Posts, and once more with another token where the first is not taken: its key may be gone, or it was revoked.
   * @throws NoAnswer, Refusal overloaded
   */
  async #post(path: string, body: string): Promise<Response> {
    const ends = this.#now() + this.#deadlineMs;
    for (let attempt = 0; ; attempt++) {
      const token = await this.#token(ends);
      const init = {
        method: 'POST',
        headers: { authorization: `Bearer ${token.reveal()}`, 'content-type': 'application/json' },
        body,
        timeoutMs: Math.max(1, Math.ceil(ends - this.#now())),
        maxBytes: MAX_BYTES,
      } as const;
      const response = await this.#parts.post(`${this.#parts.url}/v1/${path}`, init).catch((cause: unknown) => {
        if (!UNREACHED.has((cause as Error).name)) throw this.#useless('what cannot be read', cause);
        throw new NoAnswer('no answer', { cause });
      });
      if (response.status >= 500 && !(await isOverloaded(response))) {
        throw new NoAnswer(`the rate limiter answers ${response.status}`);
      }
      if (response.status !== 401 || !this.#parts.tokens.refused(token) || attempt > 0) return response;
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

  #useless(what: string, cause?: unknown): Refusal {
    const refusal = noAnswer(`the rate limiter answers ${what}`, cause);
    this.#tell(refusal);
    return refusal;
  }

  #tell(error: unknown): void {
    if (!this.#told) this.#parts.onAway?.(error);
    this.#told = true;
  }
}

/** The rate limiter says itself that it cannot decide; what stands in front of it, or it before it is ready, says so in other words. */
async function isOverloaded(response: Response): Promise<boolean> {
  if (response.status !== 503) return false;
  const copy = response.clone();
  const body: unknown = await copy.json().catch(() => undefined);
  return (body as { error?: unknown } | null | undefined)?.error === 'overloaded';
}

export const noAnswer = (detail: string, cause?: unknown): Refusal =>
  new Refusal('overloaded', { retryAfterMs: LEFT_ALONE_MS }, { detail, cause });
