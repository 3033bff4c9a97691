import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Beside what npm installed: gone with the version of PGlite that made it. */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/portcullis/', import.meta.url));
const PGLITE = new URL('../../../node_modules/@electric-sql/pglite/package.json', import.meta.url);

/** Bytes that were kept under a name for the PGlite that is installed, or those that `make` makes, which are kept then. */
export async function keptForPglite(name: string, make: () => Promise<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const { version } = JSON.parse(await readFile(PGLITE, 'utf8')) as { version: string };
  const path = `${CACHE}${name}-${version}`;
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = new Uint8Array(await make());
  await mkdir(CACHE, { recursive: true });
  // several test processes may get here at once: each writes its own, and the last one stays
  const own = `${path}.${process.pid}`;
  await writeFile(own, made);
  await rename(own, path);
  return made;
}
