import { Secret } from '@portcullis/contract/secret';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}
export interface RedisUser {
  readonly name: string;
  readonly password: Secret;
}
/** What a REDIS_URL says. */
export interface RedisAddress {
  readonly kind: 'one' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** the server, the sentinels, or nodes of the cluster to ask for the others; at least one */
  readonly nodes: readonly RedisNode[];
  /** undefined = none is asked for, which only a server that is open to all takes */
  readonly user: RedisUser | undefined;
  /** number of the database; a cluster has only 0 */
  readonly db: number;
  /** what the sentinels call the group; '' for the other kinds */
  readonly group: string;
}

/** Says what is wrong with REDIS_URL and never quotes it. */
export class RedisUrlError extends Error {
  override readonly name = 'RedisUrlError';
}

const SHAPE = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*)(?:\/([^/?#]*))?(?:\/([^/?#]*))?$/;
const PORTS = { one: 6379, cluster: 6379, sentinel: 26_379 } as const;
const NODES_AT_MOST = 64;
const NAME = /^[\w.-]{1,64}$/;
const DB = /^\d{1,4}$/;

/**
 * Reads a REDIS_URL. `rediss` is TLS.
 * @param url `redis://USER:PASSWORD@HOST[:PORT][/DB]`, `redis+cluster://USER:PASSWORD@HOST[:PORT],HOST[:PORT]…`, or
 *   `redis+sentinel://USER:PASSWORD@HOST[:PORT],HOST[:PORT]…/GROUP[/DB]`; user and password percent-encoded; a password
 *   alone (`:PASSWORD@`) is that of the user `default`
 * @throws RedisUrlError
 * @see https://www.iana.org/assignments/uri-schemes/prov/redis
 */
export function redisUrl(url: Secret): RedisAddress {
  const [, scheme, suffix, authority = '', first = '', second = ''] = SHAPE.exec(url.reveal()) ?? [];
  if (scheme === undefined) {
    throw wrong(
      'is no redis://, rediss://, redis+sentinel:// or redis+cluster:// URL: special characters of the password must be percent-encoded',
    );
  }
  const kind = suffix === 'sentinel' || suffix === 'cluster' ? suffix : 'one';
  const at = authority.lastIndexOf('@');
  const nodes = authority
    .slice(at + 1)
    .split(',')
    .map((node) => nodeOf(node, PORTS[kind]));
  if (kind === 'one' && nodes.length > 1)
    throw wrong('names several servers: write redis+cluster:// or redis+sentinel://');
  if (nodes.length > NODES_AT_MOST) throw wrong(`names more than ${NODES_AT_MOST} servers`);
  const [group, db, more] = kind === 'sentinel' ? [first, second, ''] : ['', first, second];
  if (kind === 'sentinel' && !NAME.test(group)) throw wrong('names no group of the sentinels: write …@HOST,HOST/GROUP');
  if (more !== '' || (db !== '' && !DB.test(db))) throw wrong('has a path that is no number of a database');
  if (kind === 'cluster' && Number(db) !== 0) throw wrong('names a database, and a cluster has none but 0');
  const user = at < 0 ? undefined : userOf(authority.slice(0, at));
  return { kind, tls: scheme === 'rediss', nodes, user, db: Number(db), group };
}

function nodeOf(text: string, port: number): RedisNode {
  // a special scheme, so that host and port are checked; the port that http leaves out is written by nobody for Redis
  const parsed = URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined;
  if (parsed === undefined || text === '' || parsed.username !== '' || parsed.pathname !== '/') {
    throw wrong('names a server that is no HOST[:PORT]');
  }
  const said = /:(\d+)$/.exec(text)?.[1];
  return { host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'), port: said === undefined ? port : Number(said) };
}

function userOf(text: string): RedisUser {
  const [name = '', ...rest] = text.split(':');
  const [user, password] = [decoded(name), decoded(rest.join(':'))];
  if (password === '') throw wrong('names a user and no password');
  return { name: user === '' ? 'default' : user, password: new Secret(password) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a user or a password that is not percent-encoded');
  }
}

const wrong = (why: string): RedisUrlError => new RedisUrlError(`REDIS_URL ${why}`);
