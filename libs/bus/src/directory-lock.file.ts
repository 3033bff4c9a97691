import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another outbox, in this process or another, works on the directory. */
export class OutboxInUse extends Error {
  override readonly name = 'OutboxInUse';

  constructor(readonly directory: string) {
    super(`The outbox directory ${directory} is in use. Every service needs one of its own (OUTBOX_DIR).`);
  }
}

/** SQLITE_BUSY, https://sqlite.org/rescode.html#busy */
const BUSY = 5;

/**
 * Takes a directory for one outbox: two writers would fork the chain. An open exclusive transaction on DIR/lock, which
 * the kernel drops when the process dies. A near copy of lockData in libs/sql, so that the bus needs no SQL library.
 * @returns gives it back
 * @throws OutboxInUse
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock');
  makePrivate(path);
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if (typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === BUSY) {
      throw new OutboxInUse(directory);
    }
    throw error;
  }
  return () => file.close();
}

/**
 * SQLite would make the file readable for everyone. Never opens one that is there: closing it again would drop the
 * lock that this process may hold on it (POSIX fcntl locks).
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
