import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { writeWhole } from '@portcullis/service/write-file.file';
import type { Ready } from './ready.js';

/**
 * Writes the ready file to each path, whole and 0600, so that whoever sees it sees all of it.
 * @returns removes them again
 */
export async function announce(ready: Ready, paths: readonly string[]): Promise<() => Promise<void>> {
  for (const path of paths) await writeWhole(resolve(path), `${JSON.stringify(ready, null, 2)}\n`, 0o600);
  return async () => {
    for (const path of paths) await rm(resolve(path), { force: true });
  };
}
