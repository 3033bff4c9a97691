import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { hotQueriesContract } from './hot-queries.contract.js';

describe('on Postgres', () => hotQueriesContract(() => testPostgres().open()));
