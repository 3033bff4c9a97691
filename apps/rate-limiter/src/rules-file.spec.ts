import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAX_RULES_BYTES, readRules } from '@portcullis/limits/read-rules';
import { TOOL_EFFECTS } from '@portcullis/limits/tool-effects';
import { readRulesFile, watchRulesFile } from './rules-file.file.js';
import type { FileContent } from './rules-offers.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'portcullis-rules-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What a watcher hands over, in order, waited for one at a time. */
async function watched(path: string) {
  const seen: FileContent[] = [];
  let wake = (): void => {};
  const watching = await watchRulesFile(
    path,
    async (content) => {
      seen.push(content);
      wake();
    },
    async () => {},
  );
  return {
    ...watching,
    async nth(n: number): Promise<FileContent> {
      while (seen.length < n) await new Promise<void>((resolve) => (wake = resolve));
      return seen[n - 1]!;
    },
    seen,
  };
}

test('what the file holds at first is handed over, and then whatever it is changed to', async () => {
  const path = join(folder, 'rules.json');
  writeFileSync(path, 'one');
  const { seen, nth, stop } = await watched(path);
  expect(seen).toEqual([{ text: 'one' }]);
  writeFileSync(path, 'other');
  expect(await nth(2)).toEqual({ text: 'other' });
  writeFileSync(join(folder, 'rules.new'), 'third');
  renameSync(join(folder, 'rules.new'), path);
  expect(await nth(3)).toEqual({ text: 'third' });
  rmSync(path);
  expect(await nth(4)).toEqual({ problem: 'cannot be read (ENOENT)' });
  writeFileSync(path, 'fourth');
  expect(await nth(5)).toEqual({ text: 'fourth' });
  await stop();
});

test('a mount that is replaced as a whole, by a link, is a change', async () => {
  const [mount, path] = [join(folder, 'mount'), join(folder, 'mount', 'rules.json')];
  for (const [version, text] of Object.entries({ v1: 'first', v2: 'second' })) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'rules.json'), text);
  }
  mkdirSync(mount);
  symlinkSync(join(folder, 'v1'), join(mount, '..data'));
  symlinkSync(join('..data', 'rules.json'), path);
  const { seen, nth, stop } = await watched(path);
  expect(seen).toEqual([{ text: 'first' }]);
  symlinkSync(join(folder, 'v2'), join(mount, '..data_tmp'));
  renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  expect(await nth(2)).toEqual({ text: 'second' });
  await stop();
});

test('no more is read than a table may have, and what is no text or no file is said to be none', async () => {
  const path = join(folder, 'rules.json');
  writeFileSync(path, 'x'.repeat(MAX_RULES_BYTES));
  expect(await readRulesFile(path)).toEqual({ text: 'x'.repeat(MAX_RULES_BYTES) });
  writeFileSync(path, 'x'.repeat(MAX_RULES_BYTES + 1));
  expect(await readRulesFile(path)).toEqual({ problem: 'is larger than 256 KiB' });
  writeFileSync(path, Buffer.from([0x22, 0xff, 0x22]));
  expect(await readRulesFile(path)).toEqual({ problem: 'is not UTF-8' });
  expect(await readRulesFile(folder)).toEqual({ problem: 'is no file' });
  expect(await readRulesFile(join(folder, 'none'))).toEqual({ problem: 'cannot be read (ENOENT)' });
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  expect(await readRulesFile(join(folder, 'pipe'))).toEqual({ problem: 'is no file' });
});

test('the file that we give as an example is one that is taken', async () => {
  const content = await readRulesFile(fileURLToPath(new URL('../../../infra/limits/rules.json', import.meta.url)));
  const read = readRules('text' in content ? content.text : '', TOOL_EFFECTS);
  expect(read).toMatchObject({ table: { version: 1 } });
  const { rules } = 'table' in read ? read.table : { rules: [] };
  expect([...new Set(rules.map(({ type }) => type))]).toHaveLength(6);
  expect([...new Set(rules.map(({ fail }) => fail))]).toEqual(['closed', 'share', 'open']);
});
