import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { notSafe } from './directory-safety.js';

/** The directory is not safe to keep secrets in; the message says why and what to do. */
export class DataDirUnsafe extends Error {
  override readonly name = 'DataDirUnsafe';
}

/**
 * Makes a directory for data that is nobody else's business.
 * @returns its absolute path
 * @throws DataDirUnsafe when somebody else owns it or may write to it: who can plant a file there owns this service
 */
export function makeDataDirectory(directory: string): string {
  const path = resolve(directory);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const problem = notSafe(statSync(path), process.getuid?.());
  if (problem !== undefined) throw new DataDirUnsafe(`The data directory ${path} ${problem}`);
  return path;
}

/**
 * Makes an empty file that only we may read, unless there is one. Never opens one that is there: closing it again would
 * drop a lock that this process may hold on it (POSIX fcntl locks).
 * @returns its absolute path
 */
export function makePrivateFile(directory: string, name: string): string {
  const path = join(directory, name);
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return path;
}

/** Who runs on this directory, as far as its ready.json says. */
export function pidOfReadyFile(directory: string): number | undefined {
  try {
    const ready: unknown = JSON.parse(readFileSync(join(directory, 'ready.json'), 'utf8'));
    const pid = typeof ready === 'object' && ready !== null && 'pid' in ready ? ready.pid : undefined;
    return Number.isSafeInteger(pid) ? (pid as number) : undefined;
  } catch {
    // absent, half-written or not ours: the pid is a courtesy to whoever reads the error
    return undefined;
  }
}
