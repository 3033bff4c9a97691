import { Cluster, Redis as Client, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { RedisConnection } from './connect.redis.js';
import type { RedisAddress } from './redis-url.js';

export type Driver = Client | Cluster;
type Options = Required<Pick<RedisConnection, 'application' | 'answerMs' | 'connectMs'>> & RedisConnection;

/** Tried again so soon after a connection broke, and at the latest, ms; plus as much again at random. */
const RETRY_MS = { first: 20, most: 1_000 } as const;
/** Redirections that one command follows in a cluster. A command that was redirected was not done. */
const REDIRECTED_AT_MOST = 4;

/** The client of ioredis for an address, not connected yet: no queue, no second try of what was perhaps done, new connections for ever. */
export function driverFor({ kind, tls, nodes, user, db, group }: RedisAddress, options: Options): Driver {
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

function retryMs(times: number): number {
  const step = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(times, 10));
  return step + Math.floor(Math.random() * step);
}
