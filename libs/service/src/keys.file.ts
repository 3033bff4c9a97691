import { Secret } from '@portcullis/contract/secret';
import { randomBytes } from 'node:crypto';
import { chmod, link, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyProblem } from './key-text.js';

/**
 * The 32-byte key NAME of embedded mode, made at the first start and kept as DIR/NAME (0600, DIR 0700).
 * @param dir  DATA/keys
 * @param name the variable's name, such as `COOKIE_KEY`
 * @returns the key as base64url; `keyBytes` of key-text.ts gives its bytes
 * @throws Error when the file holds something else
 */
export async function loadOrMakeKey(dir: string, name: string): Promise<Secret> {
  const path = join(dir, name);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // a link would have keys written, and modes changed, wherever it points
  if ((await lstat(dir)).isSymbolicLink()) throw new Error(`${dir} is a symbolic link. Put a folder there.`);
  await chmod(dir, 0o700);
  const text = (await read(path)) ?? (await make(path));
  // a key that others could read until now is still better closed than left open
  await chmod(path, 0o600);
  const problem = keyProblem(text);
  if (problem !== undefined) throw new Error(`${path} ${problem}`);
  return new Secret(text);
}

const read = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );

/** Writes beside and links into place, so that two who make the same key at once end up with one. */
async function make(path: string): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(temporary, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return (await readFile(path, 'utf8')).trim();
}
