import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { recordsContract } from './records.contract.js';

describe('records on PGlite', () => recordsContract(() => openTestDatabase()));
