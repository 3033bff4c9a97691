import type { Secret } from '@portcullis/contract/secret';
import { Cluster } from 'ioredis';
import { driverFor, type Driver } from './driver.redis.js';
import { errorOf, isUnknownScript } from './driver-errors.js';
import { evictionIn } from './full-memory.js';
import { RedisAway, RedisEvicts, type Redis, type RedisValue } from './redis.js';
import { redisUrl, type RedisUser } from './redis-url.js';
import type { Script } from './script.js';

export interface RedisConnection {
  /** hears once of each time that the connection breaks, and not of what was asked meanwhile */
  readonly onBroken: (error: RedisAway) => void;
  /** what CLIENT LIST shows */
  readonly application?: string;
  /** how long an answer may take, ms */
  readonly answerMs?: number;
  /** how long connecting may take, ms */
  readonly connectMs?: number;
  /** answers that are waited for at once; more are refused */
  readonly waitingAtMost?: number;
  /** PEM; for `rediss`: whose certificates to trust instead of the system's, and our own */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: Secret };
  /** who we are to the sentinels, where they ask */
  readonly sentinelUser?: RedisUser;
  /** a server that throws away what it was told when its memory is full; nobody looks unless it is given */
  readonly evicting?: Evicting;
}

export interface Evicting {
  /** such a server is not connected to; one that becomes so is only heard of */
  readonly refused: boolean;
  /** hears what is wrong whenever that changes, undefined = nothing is any more. Looked at with each connection and every `everyMs` */
  readonly hear: (problem: string | undefined) => void;
  /** ms; default a minute */
  readonly everyMs?: number;
}

type Options = Required<Pick<RedisConnection, 'application' | 'answerMs' | 'connectMs'>> & RedisConnection;

const LOOK_EVERY_MS = 60_000;
/** After the driver gave up. It does so at once, so that this is what keeps it from being asked without a pause. */
const BEGIN_AGAIN_MS = 50;

/**
 * Connects to a server, to the master that sentinels name, or to a cluster. Connects once before it returns, so that what is
 * wrong with the URL is known before anything starts; a connection that breaks later is made anew, for ever.
 * Nothing is queued while it is broken, and nothing is sent twice. In a cluster a command may still be done after its deadline,
 * when a node comes back; whoever counts then counts too much, never too little.
 * @param url see redis-url.ts
 * @throws RedisUrlError, or RedisAway or RedisRefused when the server does not let us in, or RedisEvicts; none shows the password
 */
export async function openRedis(url: Secret, connection: RedisConnection): Promise<Redis> {
  const options: Options = { application: 'portcullis', answerMs: 500, connectMs: 5_000, ...connection };
  const address = redisUrl(url);
  const driver = driverFor(address, options);
  const redis = new Connection(driver, options);
  try {
    await within(options.connectMs, driver.connect());
    await redis.learnRuns();
  } catch (error) {
    const reason = redis.reasonOf(error);
    await redis.close();
    throw reason;
  }
  try {
    await redis.lookAtMemory(options.evicting?.refused);
  } catch (error) {
    await redis.close();
    throw error;
  }
  redis.watch();
  return redis;
}

class Connection implements Redis {
  readonly #driver: Driver;
  readonly #options: Options;
  #waiting = 0;
  #closed = false;
  #lastError: unknown;
  #runs = '';
  #eviction: string | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor(driver: Driver, options: Options) {
    this.#driver = driver;
    this.#options = options;
    // an error that nobody hears ends the process
    driver.on('error', (error: unknown) => (this.#lastError = error));
    driver.on('nodeError', (error: unknown) => (this.#lastError = error));
  }

  run(script: Script, keys: readonly string[], args: readonly RedisValue[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    return this.#answer(script.name, () =>
      this.#driver.call('evalsha', script.sha, ...rest).catch((error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return this.#driver.call('eval', script.text, ...rest);
      }),
    );
  }

  send(command: string, ...args: readonly RedisValue[]): Promise<unknown> {
    return this.#answer(command, () => this.#driver.call(command, ...args));
  }

  async ping(): Promise<void> {
    await this.send('ping');
  }

  runs(): string {
    return this.#runs;
  }

  async learnRuns(): Promise<void> {
    this.#runs = (await this.info('server')).map(runIn).sort().join(' ');
  }

  async info(section: string): Promise<readonly string[]> {
    const masters = this.#driver instanceof Cluster ? this.#driver.nodes('master') : [this.#driver];
    if (masters.length === 0) throw new RedisAway('not_connected', 'no master is known');
    return this.#answer('info', () => Promise.all(masters.map((one) => one.info(section))));
  }

  async lookAtMemory(refused = false): Promise<void> {
    const { evicting } = this.#options;
    if (evicting === undefined) return;
    const problem = evictionIn(await this.info('memory'));
    if (problem !== undefined && refused) throw new RedisEvicts(problem);
    if (problem === this.#eviction) return;
    this.#eviction = problem;
    evicting.hear(problem);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#driver.disconnect();
  }

  /** From now on, says when it breaks. */
  watch(): void {
    const { onBroken, evicting } = this.#options;
    let whole = true;
    const look = (): void => void this.lookAtMemory().catch(() => undefined);
    const learn = (): void => {
      void this.learnRuns().catch(() => undefined);
      look();
    };
    if (evicting) this.#looking = setInterval(look, evicting.everyMs ?? LOOK_EVERY_MS).unref();
    this.#driver.on('ready', () => {
      whole = true;
      learn();
    });
    // of a cluster
    this.#driver.on('+node', learn);
    this.#driver.on('close', () => {
      if (!whole || this.#closed) return;
      whole = false;
      onBroken(new RedisAway('not_connected', 'the connection broke'));
    });
    this.#driver.on('end', () => this.#beginAgain());
  }

  /**
   * The driver gives up for good when a sentinel announces a new master while another one is being asked where it is. That
   * happens in every so many failovers, and nobody would notice but by what is refused from then on.
   */
  #beginAgain(): void {
    const wait = setTimeout(() => {
      if (!this.#closed) this.#driver.connect().catch(() => undefined);
    }, BEGIN_AGAIN_MS);
    wait.unref();
  }

  /** Why connecting failed: the driver says only that it did, and why as an event before. */
  reasonOf(error: unknown): Error {
    return errorOf(this.#lastError ?? error, 'to connect');
  }

  async #answer<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const { answerMs, waitingAtMost = 10_000 } = this.#options;
    if (this.#waiting >= waitingAtMost) throw new RedisAway('crowded', 'too many wait for an answer');
    this.#waiting += 1;
    try {
      return await within(answerMs, ask());
    } catch (error) {
      throw errorOf(error, what);
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** @see https://redis.io/docs/latest/commands/info/ */
const runIn = (info: string): string => /^run_id:([0-9a-f]{40})\r?$/m.exec(info)?.[1] ?? '';

/** Sentinels and nodes of a cluster are asked for ever. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new RedisAway('unanswered', 'no answer in time')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
