import { DatabaseSync } from 'node:sqlite';
import { makeDataDirectory, makePrivateFile, pidOfReadyFile } from './data-directory.file.js';

/** Somebody runs on this directory already. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';

  constructor(
    readonly directory: string,
    /** process that holds it, when its ready.json says so */
    readonly pid: number | undefined,
  ) {
    const holder = pid === undefined ? 'another process' : `process ${pid}`;
    super(`The data directory ${directory} is in use by ${holder}. Stop it, or use another directory (--data DIR).`);
  }
}

export interface DataLock {
  /** absolute path */
  readonly directory: string;
  release(): void;
}

/** SQLITE_BUSY, https://sqlite.org/rescode.html#busy */
const BUSY = 5;

/**
 * Takes a data directory for this process alone, making it when it is absent. The lock is an open exclusive transaction
 * on DIR/lock: the kernel drops it when the process dies, however it dies, so nothing stale can stay behind. Nothing
 * else may open DIR/lock in this process: closing any handle on it would drop the lock (POSIX fcntl locks).
 * @throws DataDirInUse when another process, or an earlier call in this one, holds it
 */
export function lockData(dir: string): DataLock {
  const directory = makeDataDirectory(dir);
  const path = makePrivateFile(directory, 'lock');
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if (typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === BUSY) {
      throw new DataDirInUse(directory, pidOfReadyFile(directory));
    }
    throw error;
  }
  return {
    directory,
    release: () => {
      if (file.isOpen) file.close();
    },
  };
}
