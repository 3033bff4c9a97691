import type { Database, Ending } from '@portcullis/sql/database';
import { attachmentsOf } from './attachments.sql.js';
import { customersOf } from './customers.sql.js';
import type { TenantData } from './data.js';
import { mailOf } from './mail.sql.js';
import type { ToolTables } from './tables.sql.js';
import { ticketsOf } from './tickets.sql.js';

export const SCHEMA = 'tools';

/** What the tools work with, by tenant, and for one call, with which its statements end. */
export function tenantData(database: Database, now: () => number): (tenant: string, call?: Ending) => TenantData {
  return (tenant, call) => {
    const db = database.schema<ToolTables>(SCHEMA, call);
    return {
      customers: customersOf(db, tenant),
      tickets: ticketsOf(db, tenant, now),
      attachments: attachmentsOf(db, tenant, now),
      mail: mailOf(db, tenant, now),
    };
  };
}
