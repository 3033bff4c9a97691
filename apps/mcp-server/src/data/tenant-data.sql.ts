import type { Kysely } from 'kysely';
import type { Database, Ending } from '@portcullis/sql/database';
import { attachmentsOf } from './attachments.sql.js';
import { customersOf } from './customers.sql.js';
import type { TenantData } from './data.js';
import { mailOf } from './mail.sql.js';
import type { ToolTables } from './tables.sql.js';
import { ticketsOf } from './tickets.sql.js';

export const SCHEMA = 'tools';

/**
 * What the tools work with, by tenant, and for one call, with which its statements end. Each part is made when a tool asks
 * for it, which is for one of them mostly.
 */
export function tenantData(database: Database, now: () => number): (tenant: string, call?: Ending) => TenantData {
  return (tenant, call) => {
    const db = (): Kysely<ToolTables> => database.schema<ToolTables>(SCHEMA, call);
    return {
      get customers() {
        return customersOf(db(), tenant);
      },
      get tickets() {
        return ticketsOf(db(), tenant, now);
      },
      get attachments() {
        return attachmentsOf(db(), tenant, now);
      },
      get mail() {
        return mailOf(db(), tenant, now);
      },
    };
  };
}
