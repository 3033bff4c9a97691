import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WrongUse } from './faults.js';
import { findGate, readAdminKey } from './place.file.js';

const key = { kty: 'EC', crv: 'P-256', d: 'not a real one' };
let dir: string;
let ready: string;
let admin: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
  ready = join(dir, 'ready.json');
  admin = join(dir, 'admin.json');
  writeFileSync(admin, JSON.stringify(key), { mode: 0o600 });
  writeReady();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function writeReady(change: Record<string, unknown> = {}): void {
  const base = 'http://127.0.0.1:44';
  const parts = { authServer: `${base}00`, mcpServer: `${base}01`, mcp: `${base}01/mcp`, rateLimiter: `${base}02` };
  const rest = { analytics: `${base}04`, management: { authServer: `${base}05` }, admin, pid: 1 };
  writeFileSync(ready, JSON.stringify({ ...parts, ...rest, ...change }), { mode: 0o600 });
}
const keyOf = async (where: { url?: string } = {}) => readAdminKey(await findGate({ readyFile: ready, ...where }, {}));

test('a gate is found by its data folder, and its key is read when everything is the own user’s', async () => {
  const place = await findGate({ data: dir }, {});
  expect(place).toMatchObject({ url: 'http://127.0.0.1:4401', doubt: undefined });
  expect(await readAdminKey(place)).toEqual(key);
});

test('a relative path of the key counts from the ready file', async () => {
  writeReady({ admin: 'admin.json' });
  expect(await keyOf()).toEqual(key);
});

test('without a ready file and without --url there is no gate, and the sentence says how to get one', async () => {
  const found = findGate({ data: join(dir, 'elsewhere') }, {});
  await expect(found).rejects.toThrow(WrongUse);
  await expect(found).rejects.toThrow(/^No gate found: .*npm start/);
});

test('with --url alone a gate can be named that left no ready file here', async () => {
  const place = await findGate({ url: 'https://gate.example', data: join(dir, 'elsewhere') }, {});
  expect(place).toMatchObject({ url: 'https://gate.example', ready: undefined });
  await expect(readAdminKey(place)).rejects.toThrow(WrongUse);
});

test.each([['no JSON'], ['[]'], ['{"authServer":"http://127.0.0.1:1"}']])('%s is no ready file', async (text) => {
  writeFileSync(ready, text);
  await expect(findGate({ readyFile: ready }, {})).rejects.toThrow(/is not a ready file/);
});

test('a folder in the place of the ready file is refused in words', async () => {
  rmSync(ready);
  mkdirSync(ready);
  await expect(findGate({ readyFile: ready }, {})).rejects.toThrow(/is not a file written by Portcullis/);
});

test.each([
  ['another port', 'http://127.0.0.1:9999'],
  ['another host', 'http://localhost:4401'],
  ['another scheme', 'https://127.0.0.1:4401'],
])('the key is not used for a --url with %s than the ready file has', async (_, url) => {
  await expect(keyOf({ url })).rejects.toThrow(/key is not used: it belongs to the gate of .*Leave out --url/);
});

test('the key is used for a --url that names the same server', async () => {
  expect(await keyOf({ url: 'http://127.0.0.1:4401/mcp' })).toEqual(key);
});

test.each([
  ['the key can be read by the group', () => chmodSync(admin, 0o640), /admin\.json can be read by others/],
  ['the key can be written by others', () => chmodSync(admin, 0o602), /admin\.json can be written by others/],
  ['the ready file can be written by the group', () => chmodSync(ready, 0o660), /ready\.json can be written by others/],
  ['their folder can be written by others', () => chmodSync(dir, 0o777), /can be written by others: run 'chmod go-w/],
  [
    'the ready file names a service elsewhere',
    () => writeReady({ analytics: 'http://10.1.2.3' }),
    /not on this machine/,
  ],
  ['the ready file names no key', () => writeReady({ admin: null }), /names none/],
  ['the key is gone', () => rmSync(admin), /is not there/],
  ['the key is no JSON', () => writeFileSync(admin, 'x'), /is not JSON/],
])('the key is not used when %s', async (_, spoil, says) => {
  spoil();
  const reading = keyOf();
  await expect(reading).rejects.toThrow(WrongUse);
  await expect(reading).rejects.toThrow(says);
});

test('a key in another folder is held to the same rules there', async () => {
  const folder = join(dir, 'keys');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'admin.json'), JSON.stringify(key), { mode: 0o600 });
  writeReady({ admin: join(folder, 'admin.json') });
  expect(await keyOf()).toEqual(key);
  chmodSync(folder, 0o770);
  await expect(keyOf()).rejects.toThrow(/keys can be written by others/);
});
