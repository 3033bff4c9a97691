import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { hotQueriesContract } from './hot-queries.contract.js';

describe('on PGlite', () => hotQueriesContract(() => openTestDatabase()));
