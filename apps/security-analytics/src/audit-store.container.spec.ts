import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { auditDatabaseContract } from './audit-database.contract.js';

describe('the audit store on Postgres', () => auditDatabaseContract(() => testPostgres().open()));
