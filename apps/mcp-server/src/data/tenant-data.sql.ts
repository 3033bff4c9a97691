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
export const tenantData =
  (database: Database, now: () => number): ((tenant: string, call?: Ending) => TenantData) =>
  (tenant, call) =>
    new DataOfTenant(database, now, tenant, call);

/**
 * Each part is made when a tool asks for it, which is for one of them mostly. A class, since V8 makes a hidden class for
 * each object literal with getters, and keeps the call that they close over until the next full collection.
 */
class DataOfTenant implements TenantData {
  constructor(
    private readonly database: Database,
    private readonly now: () => number,
    private readonly tenant: string,
    private readonly call: Ending | undefined,
  ) {}

  get customers() {
    return customersOf(this.#tables(), this.tenant, this.now);
  }

  get tickets() {
    return ticketsOf(this.#tables(), this.tenant, this.now);
  }

  get attachments() {
    return attachmentsOf(this.#tables(), this.tenant, this.now);
  }

  get mail() {
    return mailOf(this.#tables(), this.tenant, this.now);
  }

  #tables(): Kysely<ToolTables> {
    return this.database.ofTenant<ToolTables>(this.tenant, SCHEMA, this.call);
  }
}
