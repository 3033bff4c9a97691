import { rowSecurityContract } from '@portcullis/sql/row-security.contract';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { sqlAuditStore } from './audit-store.sql.js';
import { AUDIT } from './audit-tables.js';
import { denials } from './events.fixture.js';

rowSecurityContract(
  AUDIT,
  new URL('../migrations/', import.meta.url),
  () => testPostgres().open(),
  (database, tenant) => sqlAuditStore(database).take(denials(5, { tenant }), []),
);
