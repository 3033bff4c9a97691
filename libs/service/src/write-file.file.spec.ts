import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSecretFile } from './settings.file.js';
import { writeWhole } from './write-file.file.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'write-'));
});
afterEach(() => rm(dir, { recursive: true }));
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test('a file is written with its folder, for its owner only', async () => {
  const path = join(dir, 'a', 'b', 'ready.json');
  await writeWhole(path, '{}');
  expect(readSecretFile(path)).toBe('{}');
  expect(await modeOf(path)).toBe('600');
  expect(await modeOf(join(dir, 'a'))).toBe('700');
});

test('a file that others could read is replaced by one they cannot', async () => {
  const path = join(dir, 'demo.json');
  await writeFile(path, 'old', { mode: 0o644 });
  await writeWhole(path, 'new');
  expect([await readFile(path, 'utf8'), await modeOf(path)]).toEqual(['new', '600']);
});

test('readers see one whole text or another, never half of one', async () => {
  const path = join(dir, 'ready.json');
  const texts = ['a', 'b'].map((letter) => letter.repeat(200_000));
  await writeWhole(path, texts[0]!);
  let writing = true;
  const writes = (async () => {
    for (let at = 0; at < 20; at++) await writeWhole(path, texts[at % 2]!);
    writing = false;
  })();
  while (writing) expect(texts).toContain(await readFile(path, 'utf8'));
  await writes;
  expect(await readdir(dir)).toEqual(['ready.json']);
});

test('a write that fails leaves the old file and nothing beside it', async () => {
  const path = join(dir, 'folder');
  await mkdir(path);
  await expect(writeWhole(path, 'x')).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
  expect(await readdir(dir)).toEqual(['folder']);
});
