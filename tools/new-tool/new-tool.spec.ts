import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checked, EFFECTS, registryWith, reminders } from './texts.mjs';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(path, 'utf8');
const good = { scopes: 'ticket:read', effects: 'none' };
const KNOWN = ['ticket:read', 'email:send'];

describe('what is asked for', () => {
  test('a name becomes a file and a variable', () => {
    expect(checked(['get_order_2'], { ...good, 'per-minute': '5' }, KNOWN)).toEqual({
      name: 'get_order_2',
      file: 'get-order-2',
      variable: 'getOrder2',
      scopes: ['ticket:read'],
      effects: ['none'],
      perMinute: 5,
      llmTokens: 500,
    });
  });

  test.each([
    ['no name', [], good, /Name one tool/],
    ['two names', ['a', 'b'], good, /Name one tool/],
    ['a name in another case', ['getOrder'], good, /is no name/],
    ['a name with a path in it', ['../x'], good, /is no name/],
    ['a name that breaks out of its text', ["a';b"], good, /is no name/],
    ['a very long name', ['a'.repeat(65)], good, /is no name/],
    ['no scopes', ['a'], { effects: 'none' }, /--scopes is missing/],
    ['a scope that is in no table', ['a'], { ...good, scopes: 'ticket:read,x:y' }, /x:y is none of ticket:read/],
    ['an effect that is none', ['a'], { ...good, effects: 'magic' }, /magic is none of/],
    ['no effect beside an effect', ['a'], { ...good, effects: 'none,writes' }, /'none' stands alone/],
    ['a figure that is none', ['a'], { ...good, 'per-minute': '0' }, /1 to 10000/],
  ] as const)('%s is refused', (_what, names, options, says) => {
    expect(() => checked(names, options, KNOWN)).toThrow(says);
  });

  test('the effects are those that the guard knows', () => {
    const [, words = ''] = /export type Effect =([^;]+);/.exec(read(join(root, 'libs/guard/src/tool.ts'))) ?? [];
    expect([...words.matchAll(/'([^']+)'/g)].map(([, effect]) => effect)).toEqual(EFFECTS);
  });
});

test.each([
  [['none'], []],
  [['reads-untrusted'], []],
  [['writes'], ['customersOf']],
  [['destroys'], ['customersOf']],
  [['sends-outside'], ['customersOf']],
  [['reads-pii'], ['customersIn']],
  [
    ['reads-pii-in-bulk', 'writes'],
    ['customersOf', 'customersIn'],
  ],
])('a tool with the effects %j is reminded of %j', (effects, members) => {
  expect(reminders({ effects }).map((each) => each.split(':')[0])).toEqual(members);
});

describe('the registry', () => {
  const registry = read(join(root, 'apps/mcp-server/src/tools/tools.ts'));

  test('gets the import in its place and the tool at the end', () => {
    const lines = registryWith(registry, { file: 'get-order', variable: 'getOrder' }).split('\n');
    const at = lines.indexOf("import { getOrder } from './get-order.js';");
    expect([lines[at - 1], lines[at + 1]]).toEqual([
      expect.stringContaining('get-customer-info'),
      expect.stringContaining('get-recent-customers'),
    ]);
    expect(lines[lines.indexOf(']);') - 1]).toBe('  getOrder,');
  });

  test('has each tool once', () => {
    expect(() => registryWith(registry, { file: 'get-customer-info', variable: 'getCustomerInfo' })).toThrow(/already/);
  });
});

describe('npm run new-tool', () => {
  // inside the repository, so that what is written finds what it imports
  const folder = mkdtempSync(join(root, 'tools/new-tool/.made-'));
  const registry = join(folder, 'tools.ts');
  beforeAll(() => copyFileSync(join(root, 'apps/mcp-server/src/tools/tools.ts'), registry));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const newTool = (...args: string[]) =>
    run(process.execPath, [join(root, 'tools/new-tool.mjs'), ...args, '--registry', registry], { cwd: root });

  test('writes a tool, its spec and its line, formatted, and says what comes next', async () => {
    const { stdout } = await newTool(
      'get_order',
      '--scopes',
      'ticket:read,customer:read',
      '--effects',
      'reads-untrusted',
    );
    expect(stdout).toContain('portcullis pins approve --tool get_order');
    expect(readdirSync(folder).sort()).toEqual(['get-order.spec.ts', 'get-order.ts', 'tools.ts']);
    const prettier = join(root, 'node_modules/prettier/bin/prettier.cjs');
    const config = join(root, '.prettierrc.json');
    await run(process.execPath, [prettier, '--check', '--config', config, '--ignore-path', '/dev/null', folder]);
  });

  test('what it wrote is a tool that passes its spec', async () => {
    const { getOrder } = (await import(join(folder, 'get-order.ts'))) as { getOrder: never };
    expect(getOrder).toMatchObject({
      name: 'get_order',
      scopes: ['ticket:read', 'customer:read'],
      effects: ['reads-untrusted'],
      limit: { perMinute: 60, llmTokens: 500 },
    });
    const { input, execute } = getOrder as {
      input: { safeParse(v: unknown): { success: boolean } };
      execute(i: object): Promise<object>;
    };
    expect([input.safeParse({ text: 'x' }).success, input.safeParse({ text: 'x', more: 1 }).success]).toEqual([
      true,
      false,
    ]);
    expect(await execute({ text: 'x' })).toEqual({ text: 'x' });
  });

  test('a tool that writes is reminded to say whose records it touches, in its file and on the screen', async () => {
    const { stdout } = await newTool('move_order', '--scopes', 'ticket:read', '--effects', 'writes');
    expect(stdout).toMatch(/customersOf: say whose records/);
    expect(read(join(folder, 'move-order.ts'))).toMatch(/^ {2}\/\/ TO WRITE, customersOf: say whose records/m);
    expect(stdout).not.toContain('customersIn');
  });

  test('does not write over what is there, and says so in one line', async () => {
    const before = read(registry);
    await expect(newTool('get_order', '--scopes', 'ticket:read', '--effects', 'none')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^There is a tool getOrder already\.\n$/) as unknown,
    });
    expect(read(registry)).toBe(before);
  });

  test('wrong use is 2 and writes nothing', async () => {
    const before = readdirSync(folder);
    await expect(newTool('Bad-Name', '--scopes', 'ticket:read', '--effects', 'none')).rejects.toMatchObject({
      code: 2,
    });
    await expect(newTool('a', '--what')).rejects.toMatchObject({ code: 2 });
    expect(readdirSync(folder)).toEqual(before);
  });
});
