import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { auditDatabaseContract } from './audit-database.contract.js';

describe('the audit store on PGlite', () => auditDatabaseContract(() => openTestDatabase()));
