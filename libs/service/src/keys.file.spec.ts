import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyBytes } from './key-text.js';
import { loadOrMakeKey } from './keys.file.js';

let root: string;
let dir: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'keys-'));
  dir = join(root, 'data', 'keys');
});
afterEach(() => rm(root, { recursive: true }));
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test('a key is made once, 32 bytes, readable by its owner only, and found again', async () => {
  const made = await loadOrMakeKey(dir, 'COOKIE_KEY');
  expect(keyBytes(made)).toHaveLength(32);
  expect(await modeOf(join(dir, 'COOKIE_KEY'))).toBe('600');
  expect(await modeOf(dir)).toBe('700');
  expect((await loadOrMakeKey(dir, 'COOKIE_KEY')).reveal()).toBe(made.reveal());
  expect(Buffer.from(keyBytes(made)).toString('base64url')).toBe(made.reveal());
});

test('each name has its own key', async () => {
  const [a, b] = await Promise.all([loadOrMakeKey(dir, 'COOKIE_KEY'), loadOrMakeKey(dir, 'STATE_KEY')]);
  expect(a.reveal()).not.toBe(b.reveal());
});

test('whoever makes the same key at once gets the same key, and nothing is left beside it', async () => {
  const keys = await Promise.all(Array.from({ length: 10 }, () => loadOrMakeKey(dir, 'COOKIE_KEY')));
  expect(new Set(keys.map((key) => key.reveal())).size).toBe(1);
  expect(await readdir(dir)).toEqual(['COOKIE_KEY']);
});

test('a key that others could read is closed', async () => {
  await loadOrMakeKey(dir, 'COOKIE_KEY');
  await chmod(join(dir, 'COOKIE_KEY'), 0o644);
  await loadOrMakeKey(dir, 'COOKIE_KEY');
  expect(await modeOf(join(dir, 'COOKIE_KEY'))).toBe('600');
});

test('a file that holds no key is an error that names the file, does not show it and does not replace it', async () => {
  await loadOrMakeKey(dir, 'COOKIE_KEY');
  const path = join(dir, 'COOKIE_KEY');
  await writeFile(path, 'hunter2');
  const error: Error = await loadOrMakeKey(dir, 'COOKIE_KEY').then(
    () => new Error('no error'),
    (thrown) => thrown,
  );
  expect(error.message).toBe(`${path} must be 32 random bytes as base64url (43 characters)`);
  expect(await readFile(path, 'utf8')).toBe('hunter2');
});
