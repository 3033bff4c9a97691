import type { Secret } from '@portcullis/contract/secret';
import { Cluster, Redis as Client, type ClusterOptions, type RedisOptions } from 'ioredis';
import { errorOf, isUnknownScript } from './driver-errors.js';
import { RedisAway, type Redis, type RedisValue } from './redis.js';
import { redisUrl, type RedisAddress, type RedisUser } from './redis-url.js';
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
}

type Options = Required<Pick<RedisConnection, 'application' | 'answerMs' | 'connectMs'>> & RedisConnection;
type Driver = Client | Cluster;

/** Tried again so soon after a connection broke, and at the latest, ms; plus as much again at random. */
const RETRY_MS = { first: 20, most: 1_000 } as const;
/** Redirections that one command follows in a cluster. A command that was redirected was not done. */
const REDIRECTED_AT_MOST = 4;

/**
 * Connects to a server, to the master that sentinels name, or to a cluster. Connects once before it returns, so that what is
 * wrong with the URL is known before anything starts; a connection that breaks later is made anew, for ever.
 * Nothing is queued while it is broken, and nothing is sent twice. In a cluster a command may still be done after its deadline,
 * when a node comes back; whoever counts then counts too much, never too little.
 * @param url see redis-url.ts
 * @throws RedisUrlError, or RedisAway or RedisRefused when the server does not let us in; none shows the password
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
    const infos = await this.#answer('info', () =>
      Promise.all(
        (this.#driver instanceof Cluster ? this.#driver.nodes('master') : [this.#driver]).map((one) =>
          one.info('server'),
        ),
      ),
    );
    this.#runs = infos.map(runIn).sort().join(' ');
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#driver.disconnect();
  }

  /** From now on, says when it breaks. */
  watch(): void {
    const { onBroken } = this.#options;
    let whole = true;
    const learn = (): void => void this.learnRuns().catch(() => undefined);
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

function driverFor({ kind, tls, nodes, user, db, group }: RedisAddress, options: Options): Driver {
  const { application, answerMs, connectMs, sentinelUser } = options;
  const [first] = nodes;
  const secure = tls ? { tls: tlsOf(options) } : {};
  const common: RedisOptions = {
    ...secure,
    ...(user && { username: user.name, password: user.password.reveal() }),
    connectionName: application,
    connectTimeout: connectMs,
    disconnectTimeout: 500,
    // a server that is paused keeps its connections: they are given up, and with them what waits on them
    socketTimeout: Math.max(2 * answerMs, 1_000),
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // a master that became a replica: what it refused was not done
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  };
  if (kind === 'cluster') return clusterOf(nodes, common, options, tls);
  return new Client({
    ...common,
    db,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: retryMs,
    ...(kind === 'one'
      ? { host: first!.host, port: first!.port }
      : {
          sentinels: [...nodes],
          name: group,
          ...(sentinelUser && {
            sentinelUsername: sentinelUser.name,
            sentinelPassword: sentinelUser.password.reveal(),
          }),
          ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: secure.tls }),
          sentinelRetryStrategy: retryMs,
          sentinelCommandTimeout: connectMs,
          // they tell of a new master, also while the old one is only paused
          failoverDetector: true,
        }),
  });
}

function clusterOf(nodes: RedisAddress['nodes'], node: RedisOptions, { connectMs }: Options, tls: boolean): Cluster {
  const options: ClusterOptions = {
    redisOptions: node,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryMs,
    clusterNodeRetryStrategy: retryMs,
    slotsRefreshTimeout: connectMs,
    maxRedirections: REDIRECTED_AT_MOST,
    // these were perhaps done: they are not sent again
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // the name in the certificate is the one to connect to
    ...(tls && { dnsLookup: (name, done) => done(null, name) }),
  };
  return new Cluster([...nodes], options);
}

const tlsOf = ({ tls: { ca, cert, key } = {} }: Options) => ({
  ...(ca !== undefined && { ca }),
  ...(cert !== undefined && { cert }),
  ...(key && { key: key.reveal() }),
  minVersion: 'TLSv1.2' as const,
});

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

function retryMs(times: number): number {
  const step = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(times, 10));
  return step + Math.floor(Math.random() * step);
}
