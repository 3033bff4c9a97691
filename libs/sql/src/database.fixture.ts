import { PGlite } from '@electric-sql/pglite';
import type { Database } from './database.js';
import { databaseOf } from './pglite.sql.js';
import { keptForPglite } from './database-copy.fixture.js';

/**
 * For specs: an empty database in memory, in a fraction of a second. Making one from nothing takes 2 to 4 s, so a copy of
 * an empty one is kept under node_modules/.cache. Each has 100 MB and more: open one per spec file, give each test a
 * tenant or a schema of its own, and close it in afterAll.
 */
export async function openTestDatabase(options: { turnLimitMs?: number } = {}): Promise<Database> {
  const empty = await keptForPglite('empty.tar', async () => {
    const fresh = await PGlite.create('memory://');
    const dump = await fresh.dumpDataDir('none');
    await fresh.close();
    return new Uint8Array(await dump.arrayBuffer());
  });
  const pglite = await PGlite.create({ loadDataDir: new Blob([empty]) });
  return databaseOf(pglite, options.turnLimitMs);
}
