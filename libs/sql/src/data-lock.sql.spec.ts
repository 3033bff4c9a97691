import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockData, type DataLock } from './data-lock.sql.js';

const HOLDING = `
  const [dir, lock] = process.argv.slice(1);
  const { lockData } = await import(lock);
  try {
    lockData(dir);
    process.stdout.write('held');
    setInterval(() => undefined, 1000);
  } catch (error) {
    process.stdout.write(error.name + ': ' + error.message);
  }
`;

const children: ChildProcess[] = [];
const locks: DataLock[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const lock of locks.splice(0)) lock.release();
});

const lock = (dir: string): DataLock => {
  const held = lockData(dir);
  locks.push(held);
  return held;
};
const base = mkdtempSync(join(tmpdir(), 'portcullis-lock-'));
afterAll(() => rmSync(base, { recursive: true }));
const temporaryDirectory = (): string => mkdtempSync(join(base, 'data-'));

/** Another process that takes the lock and keeps it; answers with what it says. */
async function otherProcess(dir: string): Promise<{ child: ChildProcess; says: string }> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const sources = ['--conditions=@portcullis/source', '--import', '@swc-node/register/esm-register'];
  const quiet = '--disable-warning=ExperimentalWarning';
  const source = new URL('./data-lock.sql.ts', import.meta.url).href;
  const child = spawn(process.execPath, [quiet, ...sources, '--input-type=module', '-e', HOLDING, dir, source], {
    cwd: root,
    env: { PATH: process.env['PATH'], SWC_NODE_PROJECT: `${root}tsconfig.base.json` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [says] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, says: says.toString() };
}

describe('the lock on a data directory', () => {
  it('is taken once in a process, and again after it was released', () => {
    const dir = temporaryDirectory();
    const held = lock(dir);
    expect(() => lock(dir)).toThrow(expect.objectContaining({ name: 'DataDirInUse', directory: dir }));
    expect(() => lock(dir)).toThrow(dir);
    held.release();
    held.release();
    expect(lock(dir).directory).toBe(dir);
  });

  it('makes the directory, and keeps it and the file to us', () => {
    const dir = join(temporaryDirectory(), 'a', 'b');
    lock(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'lock')).mode & 0o777).toBe(0o600);
  });

  it('keeps another process out, and tells it who is in', async () => {
    const dir = temporaryDirectory();
    lock(dir);
    writeFileSync(join(dir, 'ready.json'), JSON.stringify({ pid: 4711 }));
    const { says } = await otherProcess(dir);
    expect(says).toMatch(/^DataDirInUse: /);
    expect(says).toContain(`${dir} is in use by process 4711`);
  }, 30_000);

  it.each([
    ['no ready.json', undefined],
    ['half a ready.json', '{"pid":'],
    ['a ready.json of another kind', '{"pid":"x"}'],
    ['null', 'null'],
  ])('with %s names the directory alone', (_, text) => {
    const dir = temporaryDirectory();
    if (text !== undefined) writeFileSync(join(dir, 'ready.json'), text);
    lock(dir);
    expect(() => lock(dir)).toThrow(`${dir} is in use by another process`);
  });

  it('is free when the process that held it was killed', async () => {
    const dir = temporaryDirectory();
    const { child, says } = await otherProcess(dir);
    expect(says).toBe('held');
    expect(() => lock(dir)).toThrow(expect.objectContaining({ name: 'DataDirInUse' }));
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect(lock(dir).directory).toBe(dir);
  }, 30_000);

  it('says what else is wrong as it is', () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, 'lock'), 'this is no database, but a text of more than a hundred bytes'.repeat(20));
    expect(() => lock(dir)).toThrow('file is not a database');
    expect(existsSync(join(dir, 'lock'))).toBe(true);
    expect(readFileSync(join(dir, 'lock'), 'utf8')).toMatch(/^this is no database/);
  });
});
