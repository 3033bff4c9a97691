import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { tenantDataContract } from './tenant-data.contract.js';

describe('tenant data on PGlite', () => tenantDataContract(() => openTestDatabase()));
