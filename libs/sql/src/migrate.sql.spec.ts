import { describe } from '@jest/globals';
import { openTestDatabase } from './database.fixture.js';
import { migrateContract } from './migrate.contract.js';

describe('migrate, on PGlite', () => migrateContract(() => openTestDatabase()));
