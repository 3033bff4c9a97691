import { principalId } from '@portcullis/contract/ids';
import type { Database } from '@portcullis/sql/database';
import type { GrantRecord, Grants } from './grants.js';
import { cutPage } from './paging.js';
import { pairsOf } from './revocations.sql.js';
import { AUTH, type AuthTables } from './tables.js';

/** Grants are oidc-provider's, so they lie among its artefacts; their tenant is that of the client. */
export function sqlGrants(database: Database): Grants {
  const of = (tenant: string) => database.ofTenant<AuthTables>(tenant, AUTH);
  const grants = (tenant: string, now: number) =>
    of(tenant)
      .selectFrom('artefacts')
      .innerJoin('clients', 'clients.client_id', 'artefacts.client_id')
      .select(['artefacts.grant_id', 'artefacts.client_id', 'artefacts.account_id'])
      .select(['artefacts.payload', 'artefacts.expires_at', 'clients.tenant'])
      .where('clients.tenant', '=', tenant)
      .where('artefacts.kind', '=', 'Grant')
      .where('artefacts.expires_at', '>', new Date(now));
  return {
    async list(tenant, { clientId, sub }, page, now) {
      const rows = await grants(tenant, now)
        .where('artefacts.grant_id', '>', page.after ?? '')
        .$if(clientId !== undefined, (query) => query.where('artefacts.client_id', '=', clientId ?? ''))
        .$if(sub !== undefined, (query) => query.where('artefacts.account_id', '=', sub ?? ''))
        .orderBy('artefacts.grant_id')
        .limit(page.limit + 1)
        .execute();
      return cutPage(rows.map(recordOf), page, ({ grantId }) => grantId);
    },

    async byId(tenant, grantId, now) {
      const row = await grants(tenant, now).where('artefacts.grant_id', '=', grantId).executeTakeFirst();
      return row && recordOf(row);
    },

    async agent(tenant, principal) {
      const db = of(tenant);
      const clients = await db.selectFrom('clients').select('client_id').where('tenant', '=', tenant).execute();
      const own = clients.find(({ client_id: clientId }) => principalId(tenant, clientId) === principal);
      if (own !== undefined) return { clientId: own.client_id };
      const [pair] = await pairsOf(db, tenant, principal);
      return pair && { clientId: pair.client_id, sub: pair.account_id };
    },
  };
}

interface Row {
  readonly tenant: string;
  readonly grant_id: string | null;
  readonly client_id: string | null;
  readonly account_id: string | null;
  readonly payload: string;
  readonly expires_at: Date;
}

function recordOf(row: Row): GrantRecord {
  const { iat = 0, resources = {} } = JSON.parse(row.payload) as {
    iat?: number;
    resources?: Record<string, string>;
  };
  return {
    tenant: row.tenant,
    grantId: row.grant_id ?? '',
    clientId: row.client_id ?? '',
    sub: row.account_id ?? '',
    resources,
    createdAt: iat * 1000,
    expiresAt: row.expires_at.getTime(),
  };
}
