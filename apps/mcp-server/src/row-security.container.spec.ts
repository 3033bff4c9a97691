import { rowSecurityContract } from '@portcullis/sql/row-security.contract';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { sqlApprovals } from './approvals.sql.js';
import { seedTenant } from './data/seed.sql.js';
import { SCHEMA, tenantData } from './data/tenant-data.sql.js';

const now = (): number => Date.UTC(2026, 10, 21, 12);
const file = { name: 'a.png', type: 'image/png', sha256: 'x', scan: 'clean', content: Uint8Array.of(1) } as const;
const asked = { principal: 'agt_a', clientId: 'c', sub: undefined, task: undefined, tool: 'delete_customer' } as const;

rowSecurityContract(
  SCHEMA,
  new URL('../migrations/', import.meta.url),
  () => testPostgres().open(),
  async (database, tenant) => {
    await seedTenant(database, tenant, now());
    const { attachments, mail } = tenantData(database, now)(tenant);
    await attachments.add({ ...file, ticket_id: 'T-000001' }, ['12345']);
    await mail.queue({ customer_ids: ['12345'], subject: 's', body: 'b' }, now());
    const call = { ...asked, argumentsHash: 'h', arguments: '{}', needed: 1 } as const;
    await sqlApprovals(database, now).ask(tenant, call, () => Promise.resolve());
  },
);
