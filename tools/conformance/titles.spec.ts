import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { titlesOf } from './titles.mjs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-titles-'));
  writeFileSync(
    join(folder, 'store.contract.ts'),
    `export const storeContract = (open: () => object) => {
       test('keeps what was put', () => open());
       describe('a tenant', () => test("sees its own", () => {}));
     };`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const titlesIn = (text: string): string[] => {
  const file = join(folder, 'x.spec.ts');
  writeFileSync(file, text);
  return titlesOf(file);
};

test.each<[string, string, string[]]>([
  [
    'with the titles around it',
    "describe('a', () => { describe('b', () => { test('c', f); }); it('d', f); });",
    ['a › b › c', 'a › d'],
  ],
  ['with rows, as its title is written', "test.each([[1, 2]])('%s is %j', (a, b) => {});", ['%s is %j']],
  ['in a group with rows', "describe.each(ROWS)('at %s', () => test('b', f));", ['at %s › b']],
  ['with a table', 'it.each`a | b`(`$a is b`, f);', ['$a is b']],
  ['with a title that is made, whatever it is made of', 'test(`a ${name(1)} b`, f);', ['a ${…} b']],
  [
    'of a contract suite, with the titles around the call',
    "import { storeContract } from './store.contract.js';\ndescribe('in memory', () => storeContract(open));",
    ['in memory › keeps what was put', 'in memory › a tenant › sees its own'],
  ],
  ['behind a loop or a condition', "for (const a of B) { if (a) test('b', f); }", ['b']],
])('a test is found %s', (_how, text, titles) => {
  expect(titlesIn(text)).toEqual(titles);
});

test('a test that is skipped, and one in a comment or a text, is none', () => {
  expect(titlesIn("test.skip('a', f); // test('b', f)\nconst text = \"test('c', f)\"; xit('d', f);")).toEqual([]);
});
