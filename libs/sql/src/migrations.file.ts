import { readFileSync, readdirSync } from 'node:fs';
import { inOrder, MigrationError, migrationOf, type Migration } from './migrations.js';

/**
 * Reads a migrations directory. Files that do not end in `.sql` are left alone.
 * @param directory a file URL that ends in `/`: `new URL('../migrations/', import.meta.url)`
 * @throws MigrationError when there is none, or a name is wrong
 */
export function readMigrations(directory: URL): Migration[] {
  const names = inOrder(readdirSync(directory).filter((name) => name.endsWith('.sql')));
  if (names.length === 0) throw new MigrationError(`there are no migrations in ${directory.pathname}`);
  return names.map((name) => migrationOf(name, readFileSync(new URL(name, directory), 'utf8')));
}
