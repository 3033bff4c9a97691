import { describeApprovals } from '@portcullis/guard/approvals.contract';
import { migrate } from '@portcullis/sql/migrate.sql';
import type { Database } from '@portcullis/sql/database';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { sqlApprovals } from './approvals.sql.js';
import { SCHEMA } from './data/tenant-data.sql.js';

let database: Database;
afterAll(() => database.close());

describeApprovals('on PGlite', async (now) => {
  database = await openTestDatabase();
  await migrate(database, SCHEMA, new URL('../migrations/', import.meta.url));
  return sqlApprovals(database, now);
});
