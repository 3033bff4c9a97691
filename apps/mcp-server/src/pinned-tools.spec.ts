import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinsOf } from '@portcullis/guard/pins';
import { silentLog } from '@portcullis/contract/log';
import { bind, closeBound } from '@portcullis/service/listener.http';
import { readSettings } from '@portcullis/service/settings';
import { config } from './config.js';
import { approvedWith, expectApproved, pinChanges, PINNED_TOOLS } from './pinned-tools.js';
import { approvePins, readPins, writePins } from './pins.file.js';
import { startMcpServer, type McpServerParts } from './start.js';

const now = pinsOf(PINNED_TOOLS);

test('every tool, and what reads a resource, is as it was approved; if not, and it is meant: npx portcullis pins approve', async () => {
  const approved = await readPins();
  expect(() => expectApproved(approved)).not.toThrow();
  expect(Object.keys(approved)).toEqual(Object.keys(now).toSorted());
  expect(Object.keys(approved)).toContain('read_customer');
});

test.each<[string, () => Record<string, string>, string]>([
  ['drifted', () => ({ ...now, delete_customer: '0'.repeat(64) }), 'Tool delete_customer is not as it was approved.'],
  [
    'new',
    () => Object.fromEntries(Object.entries(now).filter(([name]) => name !== 'send_bulk_email')),
    'Tool send_bulk_email was never approved.',
  ],
  ['gone', () => ({ ...now, drop_tables: '0'.repeat(64) }), 'Tool drop_tables was approved and is not there.'],
])('a tool that is %s stops the start, which names it and the command', async (_what, approved, says) => {
  const bound = await bind('127.0.0.1', 0);
  const settings = readSettings(config, {
    PORTCULLIS_MODE: 'embedded',
    PORT: '0',
    AUTH_ISSUER: 'http://127.0.0.1:1',
    MCP_RESOURCE: `${bound.url}/mcp`,
  });
  const start = startMcpServer(settings, { pins: approved(), log: silentLog } as McpServerParts, bound);
  await expect(start).rejects.toThrow(says);
  await expect(start).rejects.toThrow(/npx portcullis pins diff.*npx portcullis pins approve/);
  await closeBound(bound);
});

describe('an approval', () => {
  const before = { ...now, delete_customer: '0'.repeat(64), drop_tables: '1'.repeat(64) };
  test('of all is what stands now', () => expect(approvedWith(before, [])).toEqual(now));
  test('of one changes that one', () =>
    expect(approvedWith(before, ['delete_customer'])).toEqual({ ...now, drop_tables: before.drop_tables }));
  test('of one that is gone forgets it', () =>
    expect(approvedWith(before, ['drop_tables'])).toEqual({ ...now, delete_customer: before.delete_customer }));
  test.each(['no_such_tool', 'constructor', '__proto__'])('of %s, which is none, is refused', (name) =>
    expect(() => approvedWith(before, [name])).toThrow(RangeError),
  );
});

test('an approval says what it added, changed and removed, by name', () => {
  const { send_bulk_email: _, ...without } = now;
  const before = { ...without, delete_customer: '0'.repeat(64), drop_tables: '1'.repeat(64) };
  expect(pinChanges(before, now)).toEqual({
    added: ['send_bulk_email'],
    changed: ['delete_customer'],
    removed: ['drop_tables'],
  });
  expect(pinChanges(now, { ...now })).toEqual({ added: [], changed: [], removed: [] });
});

test('an approval makes the file, and leaves it alone when nothing changes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pins-'));
  const path = join(folder, 'pins.json');
  expect((await approvePins([], path)).changes.added).toEqual(Object.keys(now).toSorted());
  expect(await readPins(path)).toEqual(now);
  const oneLine = JSON.stringify(now);
  await writeFile(path, oneLine);
  const again = await approvePins([], path);
  expect(again).toEqual({ approved: now, changes: { added: [], changed: [], removed: [] } });
  expect(await readFile(path, 'utf8')).toBe(oneLine);
  await writePins({ ...now, delete_customer: '0'.repeat(64), drop_tables: '1'.repeat(64) }, path);
  expect((await approvePins(['drop_tables'], path)).changes).toEqual({
    added: [],
    changed: [],
    removed: ['drop_tables'],
  });
  expect(await readPins(path)).toEqual({ ...now, delete_customer: '0'.repeat(64) });
  await expect(approvePins(['no_such_tool'], path)).rejects.toThrow(RangeError);
  await rm(folder, { recursive: true });
});

test('the file is sorted, comes back as it was written, and takes no nonsense', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pins-'));
  const path = join(folder, 'pins.json');
  await writePins({ b: '1'.repeat(64), a: '0'.repeat(64) }, path);
  expect(await readFile(path, 'utf8')).toMatch(/^\{\n {2}"a": "0+",\n {2}"b": "1+"\n\}\n$/);
  expect(await readPins(path)).toEqual({ a: '0'.repeat(64), b: '1'.repeat(64) });
  await writePins({ a: 'short' }, path);
  await expect(readPins(path)).rejects.toThrow();
  await rm(folder, { recursive: true });
});
