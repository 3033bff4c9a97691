/** Packages that do something to the world, by what they touch. Packages in no family are free (zod, jose, prom-client …). */
export const FAMILIES = {
  runtime: [
    'node:assert',
    'node:async_hooks',
    'node:buffer',
    'node:crypto',
    'node:diagnostics_channel',
    'node:events',
    'node:perf_hooks',
    'node:querystring',
    'node:stream',
    'node:string_decoder',
    'node:timers',
    'node:url',
    'node:util',
    'node:zlib',
  ],
  files: ['node:fs', 'node:os', 'node:path', 'node:process', 'node:readline', 'pino'],
  processes: ['node:child_process', 'node:cluster', 'node:module', 'node:v8', 'node:vm', 'node:worker_threads'],
  network: [
    'node:dgram',
    'node:dns',
    'node:http',
    'node:http2',
    'node:https',
    'node:net',
    'node:tls',
    'undici',
    'axios',
  ],
  nest: ['@nestjs/*', 'express', 'passport', 'passport-*', 'reflect-metadata', 'rxjs'],
  sql: ['kysely', '@electric-sql/*', 'pg', 'pg-*'],
  // A file with a lock that the kernel gives back when its owner dies.
  sqlite: ['node:sqlite'],
  // What starts containers. Only specs that are run where an engine answers.
  engine: ['testcontainers', '@testcontainers/*'],
  redis: ['ioredis', 'redis'],
  kafka: ['kafkajs', '@platformatic/kafka'],
  grpc: ['@grpc/*'],
};
const everyFamily = Object.keys(FAMILIES);

/** Functions that only compute, of a package that does more (those with a salt take it). They are free. */
export const PURE_NAMES = {
  // as a global it is read through a getter, on every use
  'node:buffer': ['Buffer'],
  'node:crypto': [
    'argon2',
    'argon2Sync',
    'createCipheriv',
    'createDecipheriv',
    'createHash',
    'createHmac',
    'createPrivateKey',
    'createPublicKey',
    'createSecretKey',
    'hash',
    'hkdf',
    'hkdfSync',
    'pbkdf2',
    'pbkdf2Sync',
    'scrypt',
    'scryptSync',
    'sign',
    'timingSafeEqual',
    'verify',
  ],
};

/** What lies in the air without an import. A dot names a member; `new Date` is the one without arguments. */
export const AMBIENT = {
  clock: ['Date.now', 'new Date', 'performance', 'Temporal'],
  random: ['Math.random', 'crypto'],
  timers: ['setTimeout', 'setInterval', 'setImmediate', 'AbortSignal.timeout'],
  process: ['process'],
  console: ['console'],
  network: ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'],
};
/** Names of free packages that take something from the air all the same. */
export const AMBIENT_NAMES = {
  jose: { createRemoteJWKSet: 'network', generateKeyPair: 'random', generateSecret: 'random' },
  uuid: { v1: 'clock', v4: 'random', v6: 'clock', v7: 'clock' },
};

/**
 * The files that reach out, by name. Who needs to, takes one of them as a port: an address that a client, a document or a
 * person gave goes through fetch-outside, one of our own services through fetch-inside. The guard has its own for the
 * issuer's keys, since the service kit stands on it; the scanner of attachments speaks a protocol of its own to the one
 * host that its settings name; the command line tool asks the gate it is pointed at.
 */
export const REACHING = [
  'libs/service/src/fetch-inside.http.ts',
  'libs/service/src/fetch-outside.http.ts',
  'libs/guard/src/jwks.http.ts',
  'libs/guard/src/issuer-metadata.http.ts',
  'apps/mcp-server/src/attachments/scanner.http.ts',
  'apps/cli/src/ask.http.ts',
];
/** What other files with a driver of the network may take of it: they listen, or only know its words. */
export const LISTENING = {
  'node:http': ['createServer', 'STATUS_CODES', 'METHODS'],
  'node:https': ['createServer'],
  'node:http2': ['createServer', 'createSecureServer', 'constants'],
  'node:net': ['createServer', 'isIP', 'isIPv4', 'isIPv6'],
  'node:tls': ['createServer', 'createSecureContext', 'rootCertificates'],
};

const time = ['clock', 'random', 'timers'];
const nothing = { families: [], files: [], ambient: [] };
/** What puts parts together may load them all; what reaches out lies in `*.http.ts` all the same. */
const shell = {
  families: everyFamily.filter((family) => family !== 'network'),
  files: 'all',
  ambient: [...time, 'process', 'console'],
};
const anything = { families: everyFamily, files: 'all', ambient: Object.keys(AMBIENT), tests: true };
const anythingHere = { ...anything, families: everyFamily.filter((family) => family !== 'engine') };

/**
 * The suffix of a file says what it may load: `families` of packages, `files` of ours that have these suffixes (pure ones
 * are free), and what it takes from the air. `import type` is free everywhere: nothing of it is left at run time.
 */
export const SUFFIXES = {
  pure: nothing,
  table: nothing,
  memory: { families: ['runtime'], files: ['memory'], ambient: time },
  file: { families: ['runtime', 'files', 'sqlite'], files: ['file'], ambient: [...time, 'process'] },
  sql: { families: ['runtime', 'files', 'sqlite', 'sql'], files: ['sql', 'file'], ambient: [...time, 'process'] },
  redis: { families: ['runtime', 'redis'], files: ['redis'], ambient: time },
  kafka: { families: ['runtime', 'kafka'], files: ['kafka'], ambient: time },
  http: { families: ['runtime', 'network'], files: ['http'], ambient: [...time, 'network'] },
  grpc: { families: ['runtime', 'grpc'], files: ['grpc', 'http'], ambient: time },
  // What starts programs: an argument vector that is made beforehand, and no shell.
  process: { families: ['runtime', 'files', 'processes'], files: ['file'], ambient: [...time, 'process'] },
  controller: { families: ['runtime', 'nest'], files: ['controller', 'module', 'http'], ambient: time },
  module: { families: ['runtime', 'nest'], files: ['controller', 'module', 'http'], ambient: time },
  wire: shell,
  contract: anythingHere,
  spec: anythingHere,
  fixture: anythingHere,
};
/** A contract lib has files of these kinds only: whoever imports it, a client too, gets data and decisions, no driver. */
export const CONTRACT_KINDS = ['pure', 'table', 'contract', 'spec', 'fixture'];

/** Files whose place says what they are, where they have no suffix. */
export const PLACES = {
  /** x.container.spec.ts: jest.containers.config.mjs runs it, `npm test` where a container engine answers */
  container: anything,
  /** config.ts of an app, which every project may import: zod, the contract libs, the pure files of the settings all share */
  config: { ...nothing, only: ['zod', '@portcullis/*/config', '@portcullis/service/*'] },
  /** main.ts, wire.ts, start.ts of an app put the parts together */
  shell,
  /** the command line tool is a program of its own: it talks to the services, and has no driver */
  tool: {
    families: ['runtime', 'files', 'processes', 'network'],
    files: ['file', 'http'],
    ambient: Object.keys(AMBIENT),
  },
  /** the app that starts the others */
  composition: {
    families: ['runtime', 'files', 'processes'],
    files: 'all',
    ambient: [...time, 'process', 'console'],
  },
};

const SHELLS = ['main', 'wire', 'start'];

/**
 * @param path of a file below the root, as `libs/bus/src/outbox.file.ts`
 * @returns its kind, a key of SUFFIXES or PLACES; undefined = not a source file of a project; `?x` = a suffix `x` that is in no table
 */
export function kindOf(path) {
  const [, group, project, folder, inside] = /^(libs|apps)\/([^/]+)\/(src|e2e)\/(.+)\.ts$/.exec(path) ?? [];
  if (inside === undefined || inside.endsWith('.d')) return undefined;
  if (inside.endsWith('.container.spec')) return 'container';
  if (folder === 'e2e') return 'spec';
  const suffix = suffixOf(inside);
  if (suffix !== undefined) return Object.hasOwn(SUFFIXES, suffix) ? suffix : `?${suffix}`;
  if (group === 'libs') return 'pure';
  if (inside === 'config') return 'config';
  if (SHELLS.includes(inside)) return 'shell';
  return { cli: 'tool', standalone: 'composition' }[project] ?? 'pure';
}

/** @param specifier of an import of ours, `./outbox.file.js` or `@portcullis/bus/outbox.file` */
export function kindOfImport(specifier) {
  const inside = specifier.replace(/\.[jt]s$/, '');
  const name = inside.slice(inside.lastIndexOf('/') + 1);
  return suffixOf(name) ?? (SHELLS.includes(name) ? 'shell' : 'pure');
}

const suffixOf = (path) => /\.([a-z0-9]+)$/.exec(path.slice(path.lastIndexOf('/') + 1))?.[1];
