import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockData } from '@portcullis/sql/data-lock.sql';

/** The folder a running platform owns alone. */
export interface DataFolder {
  readonly dir: string;
  readonly databaseUrl: string;
  /** Lets others have it; a throw-away folder is removed. */
  release(): Promise<void>;
}

/**
 * @param dir kept and locked; undefined = a throw-away folder and a database in memory
 * @throws DataDirInUse when another process runs on it
 */
export async function openDataFolder(dir: string | undefined): Promise<DataFolder> {
  if (dir === undefined) {
    const temporary = await mkdtemp(join(tmpdir(), 'portcullis-'));
    const release = () => rm(temporary, { recursive: true, force: true });
    return { dir: temporary, databaseUrl: 'pglite://memory', release };
  }
  const lock = lockData(dir);
  const release = async () => lock.release();
  return { dir: lock.directory, databaseUrl: `pglite://${join(lock.directory, 'db')}`, release };
}
