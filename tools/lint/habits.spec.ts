import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';
import { lines, root, rules, withGraph } from './rules.fixture.js';

beforeAll(withGraph, 60_000);

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
