// For `node --import`: a new database begins as a copy of the empty one that the unit tests keep, for making one from
// nothing takes half of the time of a start. Where none is kept yet, all is as usual.
import { PGlite } from '@electric-sql/pglite';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const INSTALLED = new URL('../../../node_modules/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('@electric-sql/pglite/package.json', INSTALLED), 'utf8'));
const KEPT = new URL(`.cache/portcullis/empty.tar-${version}`, INSTALLED);
const create = PGlite.create.bind(PGlite);

PGlite.create = (dataDir, ...more) => {
  const known = dataDir === 'memory://' || (typeof dataDir === 'string' && !dataDir.includes('://'));
  if (!known || !existsSync(KEPT) || existsSync(join(dataDir, 'PG_VERSION'))) return create(dataDir, ...more);
  return create({ dataDir, loadDataDir: new Blob([readFileSync(KEPT)]) });
};
