import { describeApprovals } from '@portcullis/guard/approvals.contract';
import { migrate } from '@portcullis/sql/migrate.sql';
import type { Database } from '@portcullis/sql/database';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { sqlApprovals } from './approvals.sql.js';
import { SCHEMA } from './data/tenant-data.sql.js';

let database: Database;
afterAll(() => database.close());

describeApprovals('on Postgres', async (now) => {
  database = await testPostgres().open();
  await migrate(database, SCHEMA, new URL('../migrations/', import.meta.url));
  return sqlApprovals(database, now);
});
