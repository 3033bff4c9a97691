import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';

const root = join(import.meta.dirname, '../..');

/** The real configuration on texts that lie at these paths for the length of a test. */
const eslint = new ESLint({ cwd: root });
async function complaints(path: string, text: string): Promise<string> {
  const [result] = await eslint.lintText(text, { filePath: join(root, path) });
  if (result === undefined) throw new Error(`${path} is not linted`);
  return result.messages.map(({ ruleId, message }) => `${ruleId ?? 'broken'}: ${message}`).join('\n');
}

/** Without a project graph the boundary rule says nothing at all, so it has to be there. */
beforeAll(() => {
  const nx = createRequire(import.meta.url).resolve('nx/bin/nx.js');
  execFileSync(process.execPath, [nx, 'show', 'projects'], { cwd: root, env: { ...process.env, NX_DAEMON: 'false' } });
}, 60_000);

type Row = readonly [what: string, path: string, text: string];
type Broken = readonly [...Row, says: RegExp];
const use = (specifier: string) => `import { a } from '${specifier}';\na();\n`;
const lines = (n: number) => Array.from({ length: n }, (_, i) => `export const a${i} = ${i};\n`).join('');

function rules(name: string, rule: string, forbidden: readonly Broken[], allowed: readonly Row[]): void {
  describe(name, () => {
    test.each(forbidden)('%s is an error', async (_what, path, text, says) => {
      const heard = await complaints(path, text);
      expect(heard).toContain(`${rule}: `);
      expect(heard).toMatch(says);
    });
    test.each(allowed)('%s is fine', async (_what, path, text) => {
      expect(await complaints(path, text)).toBe('');
    });
  });
}

// The rule tells of a circle before it tells of a layer: these pairs have no way back, whoever else imports whom.
rules(
  'layers',
  '@nx/enforce-module-boundaries',
  [
    ['contract -> kit', 'libs/validators/src/x.ts', use('@portcullis/sql/database'), /can only depend on libs tagged/],
    // every app stands on the kit by now, so the way back is also a circle, which Nx reports first
    [
      'kit -> app',
      'libs/sql/src/x.ts',
      use('@portcullis/rate-limiter/rules'),
      /can only depend on libs tagged|Circular dependency/,
    ],
    ['app -> app', 'apps/mcp-server/src/x.ts', use('@portcullis/auth-server/policy'), /can only depend on libs tagged/],
    ['app -> composition', 'apps/cli/src/x.ts', use('@portcullis/standalone/ready'), /can only depend on libs tagged/],
    [
      'a type across',
      'apps/mcp-server/src/x.ts',
      "export type { A } from '@portcullis/auth-server/policy';",
      /can only depend on libs/,
    ],
    [
      'import() across',
      'apps/mcp-server/src/x.ts',
      "await import('@portcullis/auth-server/policy');",
      /can only depend on libs tagged/,
    ],
    [
      'a spec across',
      'apps/mcp-server/src/x.spec.ts',
      use('@portcullis/auth-server/policy'),
      /can only depend on libs tagged/,
    ],
    ['a circle', 'libs/limits/src/x.ts', use('@portcullis/guard/call'), /Circular dependency/],
    [
      'a relative path across',
      'libs/limits/src/x.ts',
      use('../../contract/src/ids.js'),
      /cannot be imported by a relative/,
    ],
    ['the own name', 'libs/limits/src/x.ts', use('@portcullis/limits/limiter'), /should use relative imports/],
    ['jose in a contract lib', 'libs/scopes/src/x.ts', use('jose'), /not allowed to import "jose"/],
  ],
  [
    ['contract -> contract', 'libs/scopes/src/x.ts', use('@portcullis/contract/ids')],
    ['kit -> contract', 'libs/guard/src/x.ts', use('@portcullis/contract/ids')],
    ['kit -> kit', 'libs/guard/src/x.ts', use('@portcullis/limits/limiter')],
    ['app -> kit', 'apps/mcp-server/src/x.ts', use('@portcullis/guard/call')],
    ['composition -> app', 'apps/standalone/src/x.ts', use('@portcullis/auth-server/policy')],
    ['the settings of an app', 'apps/cli/src/x.ts', use('@portcullis/auth-server/config')],
    ['zod in a contract lib', 'libs/scopes/src/x.ts', use('zod')],
    ['fast-check in a spec of a contract lib', 'libs/scopes/src/x.spec.ts', use('fast-check')],
    ['jose in a kit lib', 'libs/guard/src/x.ts', use('jose')],
  ],
);

const pure = 'libs/guard/src/x.ts';
rules(
  'what a file loads',
  'suffix/says-what-it-loads',
  [
    ['node:fs in a pure file', pure, use('node:fs'), /pure file may not load 'node:fs' \(files\)/],
    ['fs without its prefix', pure, use('fs'), /may not load 'fs'/],
    ['fs/promises', pure, use('node:fs/promises'), /\(files\)/],
    ['a pure file of an app', 'apps/mcp-server/src/tools/x.ts', use('node:fs'), /pure file may not load/],
    ['a module of Node that nobody thought of', pure, use('node:inspector'), /\(system\)/],
    ['import() in a pure file', pure, "await import('node:fs');", /\(files\)/],
    ['import() of a variable', pure, 'export const load = (x: string) => import(x);', /decided at run time/],
    ['export from', pure, "export { readFileSync } from 'node:fs';", /\(files\)/],
    ['import for its effect', pure, "import 'reflect-metadata';", /\(nest\)/],
    ['Nest in a pure file', pure, use('@nestjs/common'), /\(nest\)/],
    ['express in a pure file', pure, use('express'), /\(nest\)/],
    ['kysely in a pure file', pure, use('kysely'), /\(sql\)/],
    ['PGlite in a pure file', pure, use('@electric-sql/pglite'), /\(sql\)/],
    ['ioredis in a pure file', pure, use('ioredis'), /\(redis\)/],
    ['kafkajs in a pure file', pure, use('kafkajs'), /\(kafka\)/],
    ['node:http in a pure file', pure, use('node:http'), /\(network\)/],
    [
      'random bytes in a pure file',
      pure,
      "import { randomBytes } from 'node:crypto';\nrandomBytes(1);",
      /only by name/,
    ],
    [
      'all of node:crypto in a pure file',
      pure,
      "import crypto from 'node:crypto';\ncrypto.hash('a', 'b');",
      /only by name/,
    ],
    ['a new UUID in a pure file', pure, "import { v7 } from 'uuid';\nv7();", /v7 of uuid \(clock\)/],
    ['a driver file of ours in a pure file', pure, use('./jwks.http.js'), /which is a http file/],
    ['a driver file of another project', pure, use('@portcullis/limits/limiter.memory'), /which is a memory file/],
    ['node:fs in a memory file', 'libs/bus/src/x.memory.ts', use('node:fs'), /\(files\)/],
    ['kysely in a memory file', 'libs/bus/src/x.memory.ts', use('kysely'), /\(sql\)/],
    ['ioredis in a kafka file', 'libs/bus/src/x.kafka.ts', use('ioredis'), /\(redis\)/],
    ['kafkajs in a redis file', 'libs/limits/src/x.redis.ts', use('kafkajs'), /\(kafka\)/],
    ['node:http in a sql file', 'libs/sql/src/x.sql.ts', use('node:http'), /\(network\)/],
    ['kysely in an http file', 'libs/service/src/x.http.ts', use('kysely'), /\(sql\)/],
    ['node:http in a file file', 'libs/bus/src/x.file.ts', use('node:http'), /\(network\)/],
    ['kysely in a controller', 'apps/auth-server/src/x.controller.ts', use('kysely'), /\(sql\)/],
    ['a sql file in a controller', 'apps/auth-server/src/x.controller.ts', use('./x.sql.js'), /which is a sql file/],
    ['ioredis in a module', 'apps/auth-server/src/x.module.ts', use('ioredis'), /\(redis\)/],
    ['a child process in a file file', 'libs/bus/src/x.file.ts', use('node:child_process'), /\(processes\)/],
    [
      'a kit lib in config.ts',
      'apps/auth-server/src/config.ts',
      use('@portcullis/guard/token'),
      /config file loads zod/,
    ],
    ['a package in config.ts', 'apps/auth-server/src/config.ts', use('jose'), /config file loads zod/],
    [
      'a driver of the service lib in config.ts',
      'apps/auth-server/src/config.ts',
      use('@portcullis/service/keys.file'),
      /file/,
    ],
    ['a driver in the command line tool', 'apps/cli/src/x.ts', use('kysely'), /\(sql\)/],
    ['a driver in the standalone app', 'apps/standalone/src/x.ts', use('@electric-sql/pglite'), /\(sql\)/],
    ['a driver file in a contract lib', 'libs/scopes/src/x.file.ts', 'export {};', /contract lib has no file files/],
    ['a suffix we do not know', 'libs/guard/src/x.service.ts', 'export {};', /'.service' is no suffix/],
    ['a container in a spec that runs anywhere', 'libs/sql/src/x.spec.ts', use('testcontainers'), /\(engine\)/],
    ['a container in an end-to-end test', 'apps/standalone/e2e/x.spec.ts', use('@testcontainers/redis'), /\(engine\)/],
    ['a container spec that is none', 'libs/sql/src/x.container.ts', 'export {};', /'.container' is no suffix/],
    ['a container in a contract lib', 'libs/scopes/src/x.container.spec.ts', 'export {};', /no container files/],
    ['a development package', pure, use('fast-check'), /development dependency/],
  ],
  [
    ['jose in a pure file', pure, use('jose')],
    ['a hash in a pure file', pure, "import { createHash } from 'node:crypto';\ncreateHash('sha256');"],
    [
      'types of a driver in a pure file',
      pure,
      "import type { Kysely } from 'kysely';\nexport type A = Kysely<object>;",
    ],
    ['a pure file of ours', pure, use('./call.js')],
    ['node:crypto in a memory file', 'libs/bus/src/x.memory.ts', use('node:crypto')],
    ['node:fs and a lock in a file file', 'libs/bus/src/x.file.ts', use('node:fs') + "import 'node:sqlite';"],
    ['kysely in a sql file', 'libs/sql/src/x.sql.ts', use('kysely')],
    ['ioredis in a redis file', 'libs/limits/src/x.redis.ts', use('ioredis')],
    ['kafkajs in a kafka file', 'libs/bus/src/x.kafka.ts', use('kafkajs')],
    [
      'a server in an http file',
      'libs/service/src/x.http.ts',
      "import { createServer } from 'node:http';\ncreateServer();",
    ],
    ['Nest in a controller', 'apps/auth-server/src/x.controller.ts', use('@nestjs/common')],
    ['Nest and Passport in a module', 'apps/auth-server/src/x.module.ts', use('@nestjs/passport')],
    ['anything in a spec', 'libs/guard/src/x.spec.ts', use('node:fs') + "import 'node:http';\nimport 'openai';"],
    ['a variant in a contract suite', 'libs/limits/src/x.contract.ts', use('./limiter.memory.js')],
    ['anything in an end-to-end test', 'apps/standalone/e2e/x.ts', use('node:child_process') + "import 'openai';"],
    [
      'every variant in a wire file of a lib',
      'libs/service/src/x.wire.ts',
      use('@portcullis/sql/pglite.sql') + use('./x.file.js'),
    ],
    ['every variant in wire.ts', 'apps/mcp-server/src/wire.ts', use('./x.sql.js') + "import '@nestjs/core';"],
    [
      'zod and shared settings in config.ts',
      'apps/mcp-server/src/config.ts',
      use('zod') + "import '@portcullis/service/common';",
    ],
    ['files in the command line tool', 'apps/cli/src/x.ts', use('node:fs')],
  ],
);

rules(
  'what a file takes from the air',
  'suffix/says-what-it-loads',
  [
    ['Date.now', pure, 'export const a = Date.now();', /Date\.now \(clock\)/],
    ['Date.now as a default', pure, 'export const a = (now = Date.now) => now();', /Date\.now \(clock\)/],
    ['new Date()', pure, 'export const a = new Date();', /new Date \(clock\)/],
    ['performance', pure, 'export const a = performance.now();', /performance \(clock\)/],
    ['Math.random', pure, 'export const a = Math.random();', /Math\.random \(random\)/],
    ['crypto', pure, 'export const a = crypto.randomUUID();', /crypto \(random\)/],
    ['setTimeout', pure, 'setTimeout(() => {}, 1);', /setTimeout \(timers\)/],
    ['AbortSignal.timeout', pure, 'export const a = AbortSignal.timeout(1);', /AbortSignal\.timeout \(timers\)/],
    ['process', pure, 'export const a = process.env;', /process \(process\)/],
    ['console', pure, 'console.log(1);', /console \(console\)/],
    ['fetch', pure, "export const a = fetch('https://a.example');", /fetch \(network\)/],
    ['globalThis.fetch', pure, "export const a = globalThis.fetch('https://a.example');", /fetch \(network\)/],
    ['Date.now in a pure file of an app', 'apps/mcp-server/src/x.ts', 'export const a = Date.now();', /clock/],
    ['process in a controller', 'apps/mcp-server/src/x.controller.ts', 'export const a = process.env;', /process/],
    ['process in config.ts', 'apps/mcp-server/src/config.ts', 'export const a = process.env;', /process/],
  ],
  [
    ['a date of a given time', pure, 'export const a = (now: number) => new Date(now);'],
    ['a name of the own file', pure, 'export const a = (fetch: () => void) => fetch();'],
    ['the type of fetch', pure, 'export type A = typeof fetch;'],
    ['Date.now in start.ts', 'apps/mcp-server/src/start.ts', 'export const a = Date.now();'],
    ['process in main.ts', 'apps/mcp-server/src/main.ts', 'export const a = process.env;'],
    ['timers in a memory file', 'libs/bus/src/x.memory.ts', 'setTimeout(() => {}, 1);'],
    ['all of it in a spec', 'libs/bus/src/x.spec.ts', 'setTimeout(() => fetch(`${process.env.A}${Date.now()}`), 1);'],
  ],
);

const call = "export const a = fetch('https://a.example');";
const named = (name: string, from: string) => `import { ${name} } from '${from}';\n${name}();\n`;
rules(
  'reaching out',
  'suffix/says-what-it-loads',
  [
    ['fetch in a controller', 'apps/mcp-server/src/x.controller.ts', call, /fetch \(network\)/],
    ['fetch in a module', 'apps/mcp-server/src/x.module.ts', call, /fetch \(network\)/],
    ['fetch in a sql file', 'libs/sql/src/x.sql.ts', call, /fetch \(network\)/],
    ['fetch in a wire file of a lib', 'libs/service/src/x.wire.ts', call, /fetch \(network\)/],
    ['fetch in wire.ts', 'apps/mcp-server/src/wire.ts', call, /fetch \(network\)/],
    ['fetch in the standalone app', 'apps/standalone/src/x.ts', call, /fetch \(network\)/],
    ['node:https in start.ts', 'apps/mcp-server/src/start.ts', use('node:https'), /\(network\)/],
    ['node:net in a controller', 'apps/mcp-server/src/x.controller.ts', use('node:net'), /\(network\)/],
    ['fetch in an http file that is not named', 'libs/service/src/x.http.ts', call, /fetch reaches out/],
    [
      'fetch of globalThis in it',
      'libs/service/src/x.http.ts',
      'export const a = globalThis.fetch;',
      /fetch reaches out/,
    ],
    [
      'a WebSocket in it',
      'apps/cli/src/x.http.ts',
      "export const a = new WebSocket('wss://a');",
      /WebSocket reaches out/,
    ],
    ['request of node:http in it', 'libs/service/src/x.http.ts', named('request', 'node:http'), /request of node:http/],
    ['get of node:https in it', 'apps/mcp-server/src/x.http.ts', named('get', 'node:https'), /get of node:https/],
    ['connect of node:net in it', 'libs/service/src/x.http.ts', named('connect', 'node:net'), /connect of node:net/],
    ['a look-up in it', 'libs/service/src/x.http.ts', named('lookup', 'node:dns/promises'), /lookup of node:dns/],
    ['undici in it', 'libs/service/src/x.http.ts', named('request', 'undici'), /request of undici/],
    [
      'all of node:http in it',
      'libs/service/src/x.http.ts',
      "import http from 'node:http';\nhttp.get('');",
      /all of it/,
    ],
    ['import() of node:https in it', 'libs/service/src/x.http.ts', "await import('node:https');", /all of it/],
    ['fetch in the command line tool', 'apps/cli/src/x.ts', call, /fetch reaches out/],
    ['node:https in the command line tool', 'apps/cli/src/x.ts', named('get', 'node:https'), /get of node:https/],
    ['undici in a module', 'apps/mcp-server/src/x.module.ts', use('undici'), /\(network\)/],
    [
      'a remote key set',
      pure,
      "import { createRemoteJWKSet } from 'jose';\ncreateRemoteJWKSet();",
      /createRemoteJWKSet of jose/,
    ],
    [
      'a remote key set by the whole of jose',
      pure,
      "import * as jose from 'jose';\njose.errors;",
      /createRemoteJWKSet of jose/,
    ],
  ],
  [
    ['fetch where it belongs', 'libs/service/src/fetch-inside.http.ts', call],
    ['node:https where it belongs', 'libs/service/src/fetch-outside.http.ts', named('request', 'node:https')],
    ["the issuer's keys, fetched by the guard", 'libs/guard/src/jwks.http.ts', call],
    ["the issuer's metadata, fetched by the guard", 'libs/guard/src/issuer-metadata.http.ts', call],
    ['the gate, asked by the command line tool', 'apps/cli/src/ask.http.ts', call],
    ['a listener in an http file', 'libs/service/src/x.http.ts', named('createServer', 'node:https')],
    ['node:http in a spec', 'libs/service/src/x.spec.ts', named('request', 'node:http')],
    ['fetch in an end-to-end test', 'apps/standalone/e2e/x.ts', call],
    ['a container in a spec that says so', 'libs/sql/src/x.container.spec.ts', use('testcontainers')],
    ['the same, end to end', 'apps/standalone/e2e/x.container.spec.ts', use('testcontainers')],
    ['fetch in a spec', 'libs/service/src/x.spec.ts', call],
  ],
);

const plain = 'libs/guard/src/x.ts';
rules(
  'habits of syntax',
  'no-restricted-syntax',
  [
    ['a default export', plain, 'export default 1;', /Export by name/],
    ['a default export by another name', plain, 'const a = 1;\nexport { a as default };', /Export by name/],
    ['an enum', plain, 'export enum A { B }', /instead of an enum/],
    ['a const enum', plain, 'export const enum A { B }', /instead of an enum/],
    ['export *', plain, "export * from './call.js';", /No barrels/],
    ['export * as', plain, "export * as a from './call.js';", /No barrels/],
    ['a Manager', plain, 'export class TokenManager {}', /no Manager, Helper, Util, Base, Impl/],
    ['a Base class', plain, 'export class BaseStore {}', /no Manager, Helper, Util, Base, Impl/],
  ],
  [
    ['a named export', plain, 'export const a = 1;'],
    ['a default export in a configuration', 'libs/guard/x.config.mjs', 'export default {};'],
    ['a table', plain, 'export const A = { b: 1 } as const;'],
    ['one name from another file', plain, "export { a } from './call.js';"],
    ['a class that says what it is', plain, 'export class Baseline {}'],
  ],
);
rules(
  'no index.ts',
  'habits/no-index',
  [
    ['index.ts', 'libs/guard/src/index.ts', 'export const a = 1;', /No index\.ts/],
    ['index.ts in a folder', 'libs/guard/src/a/index.ts', 'export const a = 1;', /No index\.ts/],
  ],
  [['a file that ends like it', 'libs/guard/src/reindex.ts', 'export const a = 1;']],
);
rules(
  'length',
  'max-lines',
  [
    ['a file of 401 lines', plain, lines(401), /too many lines/],
    ['a script of 401 lines', 'tools/x.mjs', lines(401), /too many lines/],
    ['a spec of 401 lines', 'libs/guard/src/x.spec.ts', lines(401), /too many lines/],
    ['main.ts of 26 lines', 'apps/mcp-server/src/main.ts', lines(26), /too many lines/],
  ],
  [
    ['a file of 400 lines', plain, lines(400)],
    ['comments and blank lines besides', plain, `// one\n\n${lines(400)}`],
    ['a table of 500 lines', 'libs/guard/src/x.table.ts', lines(500)],
    ['main.ts of 25 lines', 'apps/mcp-server/src/main.ts', lines(25)],
  ],
);
rules(
  'no any',
  '@typescript-eslint/no-explicit-any',
  [['any in a source', plain, 'export const a: any = 1;', /Unexpected any/]],
  [['any in a spec', 'libs/guard/src/x.spec.ts', 'export const a: any = 1;']],
);
rules(
  'nothing unused',
  '@typescript-eslint/no-unused-vars',
  [
    ['an unused import', plain, "import { a } from './call.js';", /is defined but never used/],
    ['an unused name in a script', 'tools/x.mjs', 'const a = 1;', /never used/],
  ],
  [['an argument that says it is unused', plain, 'export const a = (_now: number) => 1;']],
);
rules(
  'imports of types',
  '@typescript-eslint/no-import-type-side-effects',
  [
    [
      'types one by one, which leave the import standing',
      plain,
      "import { type A } from './call.js';\nexport type B = A;",
      /side effect/,
    ],
  ],
  [['import type', plain, "import type { A } from './call.js';\nexport type B = A;"]],
);

describe('promises', () => {
  // The types of one small project are enough, and a path that its program knows. Where CI is set, typescript-eslint takes
  // its texts from the disk unless told otherwise.
  const typed = new ESLint({
    cwd: root,
    overrideConfigFile: join(root, 'tools/lint/promises.mjs'),
    overrideConfig: {
      languageOptions: {
        parserOptions: { project: join(root, 'libs/limits/tsconfig.json'), disallowAutomaticSingleRunInference: true },
      },
    },
  });
  const heard = async (text: string) => {
    const [result] = await typed.lintText(text, { filePath: join(root, 'libs/limits/src/limiter.ts') });
    return result?.messages.map(({ ruleId }) => ruleId);
  };
  test.each([
    ['a promise nobody waits for', 'export const a = () => { Promise.resolve(1); };', 'no-floating-promises'],
    ['a promise as a condition', 'export const a = (b: Promise<boolean>) => (b ? 1 : 2);', 'no-misused-promises'],
    ['await of what is no promise', 'export const a = async () => { await 1; };', 'await-thenable'],
  ])('%s is an error', async (_what, text, rule) => {
    expect(await heard(text)).toEqual([`@typescript-eslint/${rule}`]);
  });
  test('a promise somebody waits for, or says not to, is fine', async () => {
    expect(await heard('export const a = async () => { await Promise.resolve(1); void Promise.resolve(2); };')).toEqual(
      [],
    );
  });
});
