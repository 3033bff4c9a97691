import type { Database } from '@portcullis/sql/database';
import { customersOf } from './customers.sql.js';
import type { TenantData } from './data.js';
import type { ToolTables } from './tables.sql.js';
import { ticketsOf } from './tickets.sql.js';

export const SCHEMA = 'tools';

/** What the tools work with, by tenant. */
export function tenantData(database: Database, now: () => number): (tenant: string) => TenantData {
  const db = database.schema<ToolTables>(SCHEMA);
  return (tenant) => ({ customers: customersOf(db, tenant), tickets: ticketsOf(db, tenant, now) });
}
