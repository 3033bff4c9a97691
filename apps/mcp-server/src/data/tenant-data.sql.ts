import type { Kysely } from 'kysely';
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
  return (tenant, call) => new CallData(() => database.schema<ToolTables>(SCHEMA, call), tenant, now);
}

/** Each part is made when a tool asks for it, which is for one of them mostly. */
class CallData implements TenantData {
  constructor(
    private readonly db: () => Kysely<ToolTables>,
    private readonly tenant: string,
    private readonly now: () => number,
  ) {}

  get customers() {
    return customersOf(this.db(), this.tenant);
  }
  get tickets() {
    return ticketsOf(this.db(), this.tenant, this.now);
  }
  get attachments() {
    return attachmentsOf(this.db(), this.tenant, this.now);
  }
  get mail() {
    return mailOf(this.db(), this.tenant, this.now);
  }
}
