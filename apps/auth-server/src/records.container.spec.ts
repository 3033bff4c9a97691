import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { recordsContract } from './records.contract.js';

describe('records on Postgres', () => recordsContract(() => testPostgres().open()));
