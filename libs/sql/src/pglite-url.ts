const SCHEME = 'pglite://';

/** DATABASE_URL is not what can be opened. Never quotes the value, since other databases have passwords there. */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
}

/**
 * Where an embedded database lies. A server is none: `isPostgresUrl` comes first.
 * @param url `pglite://memory`, or `pglite://DIR` with DIR relative to the working directory or absolute
 *   (`pglite:///var/lib/portcullis`); a directory that is called memory is `pglite://./memory`
 * @returns undefined for memory, else the directory as it was written
 * @throws DatabaseUrlError naming the setting
 */
export function pgliteDirectory(url: string): string | undefined {
  if (!url.startsWith(SCHEME)) {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1];
    throw new DatabaseUrlError(
      `DATABASE_URL must be postgres://…, pglite://DIR or pglite://memory; it ${scheme ? `begins with ${scheme}:` : 'has no scheme'}`,
    );
  }
  const directory = url.slice(SCHEME.length);
  if (directory === 'memory') return undefined;
  if (directory.trim() === '') throw new DatabaseUrlError('DATABASE_URL names no directory: write pglite://DIR');
  if (/[\0?#]/.test(directory)) {
    throw new DatabaseUrlError('DATABASE_URL must be pglite://DIR, with no query, fragment or NUL in it');
  }
  return directory;
}
