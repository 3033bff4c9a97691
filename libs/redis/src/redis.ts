import type { Buffer } from 'node:buffer';
import type { Script } from './script.js';

export type RedisValue = string | number | Buffer;

/**
 * What stores need of Redis. Every answer comes within the deadline of the connection or not at all: nothing waits for a
 * server that is away, and nothing is sent a second time. What was sent and not answered may have been done.
 */
export interface Redis {
  /**
   * Runs a script as one step.
   * @param keys all that it touches, in one slot (`{tenant}:…`, the hash tag is the tenant)
   * @returns numbers, texts, null and lists of them, as the script returned them
   * @throws RedisAway when no answer came, RedisRefused when the answer was an error
   * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
   */
  run(script: Script, keys: readonly string[], args: readonly RedisValue[]): Promise<unknown>;
  /** One plain command; its key is the first argument where it has one. @throws as run */
  send(command: string, ...args: readonly RedisValue[]): Promise<unknown>;
  /** Says whether it answers. @throws as run */
  ping(): Promise<void>;
  /**
   * The ids of the runs of the servers that take writes, sorted and joined by a space. What was kept may be lost, or the last of it,
   * when there is another one: a server was started anew, or another took over.
   */
  runs(): string;
  /** Asks for them, which is also done whenever a connection is made. @throws as run */
  learnRuns(): Promise<void>;
  /** INFO of that section: one text of each server that takes writes. @throws as run */
  info(section: string): Promise<readonly string[]>;
  /** Ends the connection; what waits for an answer gets a RedisAway. */
  close(): Promise<void>;
}

/**
 * `not_connected`  it was not sent
 * `crowded`        it was not sent: too many wait for an answer already
 * `not_taken`      the server cannot take it now (loading, a replica, out of memory, part of the cluster is down): nothing was done
 * `unanswered`     it was sent, and whether it was done is not known
 */
export type Away = 'not_connected' | 'crowded' | 'not_taken' | 'unanswered';

/** Redis gave no answer. It carries neither keys nor values, nor the driver's error, which has both. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';

  constructor(
    readonly away: Away,
    detail: string,
  ) {
    super(`Redis: ${detail}`);
  }
}

/** Redis answered with an error: a bug of ours, or a user that may not do this. Carries neither keys nor values. */
export class RedisRefused extends Error {
  override readonly name = 'RedisRefused';

  constructor(
    /** the first word of the answer, as `NOPERM`, `WRONGTYPE` */
    readonly code: string,
    detail: string,
  ) {
    super(`Redis refused ${detail}: ${code}`);
  }
}

/** Redis would throw away what it was told when its memory is full. Says what to change. */
export class RedisEvicts extends Error {
  override readonly name = 'RedisEvicts';
}
