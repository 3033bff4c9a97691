import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { tenantDataContract } from './tenant-data.contract.js';

describe('tenant data on Postgres', () => tenantDataContract(() => testPostgres().open()));
