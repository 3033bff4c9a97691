import type { Database } from '@portcullis/sql/database';
import { isResourceName } from '@portcullis/scopes/resources';
import { isScope } from '@portcullis/scopes/scopes';
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import { removeArtefacts } from './artefacts.sql.js';
import { narrowsClient, type ClientRecord, type Clients } from './clients.js';
import { cutPage, type ConfirmChange } from './paging.js';
import { revokeTokensWith, revokeWith } from './revocations.sql.js';
import { AUTH, type AuthTables } from './tables.js';
import { VersionDiffers, type Expected } from './versions.js';

/** @param now ms since epoch: when a client that is disabled, narrowed or removed had its last token */
export function sqlClients(database: Database, now: () => number = Date.now): Clients {
  const of = (tenant: string): Kysely<AuthTables> => database.ofTenant<AuthTables>(tenant, AUTH);
  const every = database.everyTenant<AuthTables>(AUTH);
  const byId = (tenant: string, clientId: string) =>
    of(tenant).selectFrom('clients').selectAll().where('tenant', '=', tenant).where('client_id', '=', clientId);
  const update = (
    tenant: string,
    clientId: string,
    how: (before: ClientRecord) => Updateable<AuthTables['clients']> | undefined,
    confirm: ConfirmChange<ClientRecord>,
    expected: Expected,
    also?: (trx: Kysely<AuthTables>, before: ClientRecord) => Promise<void>,
  ): Promise<ClientRecord | undefined> =>
    of(tenant)
      .transaction()
      .execute(async (trx) => {
        const before = await locked(trx, tenant, clientId, expected);
        const changed = before && how(before);
        if (before === undefined || changed === undefined) return undefined;
        const row = await trx
          .updateTable('clients')
          .set({ ...changed, version: before.version + 1 })
          .where('tenant', '=', tenant)
          .where('client_id', '=', clientId)
          .returningAll()
          .executeTakeFirstOrThrow();
        await also?.(trx, before);
        await confirm(before);
        return recordOf(row);
      });
  return {
    async find(clientId) {
      // who asks for a token names a client and no tenant
      const row = await every.selectFrom('clients').selectAll().where('client_id', '=', clientId).executeTakeFirst();
      return row && recordOf(row);
    },

    async byId(tenant, clientId) {
      const row = await byId(tenant, clientId).executeTakeFirst();
      return row && recordOf(row);
    },

    async list(tenant, page) {
      const rows = await of(tenant)
        .selectFrom('clients')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('client_id', '>', page.after ?? '')
        .orderBy('client_id')
        .limit(page.limit + 1)
        .execute();
      return cutPage(rows.map(recordOf), page, ({ clientId }) => clientId);
    },

    add: (tenant, client, confirm) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          const added = await trx
            .insertInto('clients')
            .values(rowOf(client))
            .onConflict((conflict) => conflict.doNothing())
            .returning('client_id')
            .executeTakeFirst();
          if (added === undefined) return false;
          await confirm();
          return true;
        }),

    change: (tenant, clientId, change, confirm, expected) =>
      update(
        tenant,
        clientId,
        () => changeOf(change),
        confirm,
        expected,
        async (trx, before) => {
          const it = { tenant, what: 'client', id: clientId } as const;
          if (change.disabled) await revokeWith(trx, { ...it, reason: 'disabled' }, now());
          else if (narrowsClient(before, change)) await revokeTokensWith(trx, { ...it, reason: 'narrowed' }, now());
        },
      ),

    rotateSecret: (tenant, clientId, { hash, previousUntil }, confirm, expected) =>
      update(
        tenant,
        clientId,
        ({ secretHash: before }) =>
          before === undefined
            ? undefined
            : {
                secret_hash: hash,
                previous_secret_hash: previousUntil === undefined ? null : before,
                previous_secret_until: previousUntil === undefined ? null : new Date(previousUntil),
              },
        confirm,
        expected,
      ),

    async sweepSecrets(now) {
      const swept = await every
        .updateTable('clients')
        .set((row) => ({
          previous_secret_hash: null,
          previous_secret_until: null,
          version: row('clients.version', '+', 1),
        }))
        .where('previous_secret_until', '<=', new Date(now))
        .executeTakeFirst();
      return Number(swept.numUpdatedRows);
    },

    async renewSecretHash(tenant, clientId, old, renewed) {
      await of(tenant)
        .updateTable('clients')
        .set({ secret_hash: renewed })
        .where('tenant', '=', tenant)
        .where('client_id', '=', clientId)
        .where('secret_hash', '=', old)
        .execute();
    },

    remove: (tenant, clientId, confirm, expected) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          const before = await locked(trx, tenant, clientId, expected);
          if (before === undefined) return false;
          await trx.deleteFrom('clients').where('tenant', '=', tenant).where('client_id', '=', clientId).execute();
          await revokeWith(trx, { tenant, what: 'client', id: clientId, reason: 'removed' }, now());
          await removeArtefacts(trx, 'client_id', clientId);
          await confirm(before);
          return true;
        }),

    async put(tenant, client) {
      const db = of(tenant);
      const { created_at: _at, ...row } = rowOf(client);
      // no target: of replicas that start at once one may meet the other in any unique index
      const { numInsertedOrUpdatedRows: made } = await db
        .insertInto('clients')
        .values(rowOf(client))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (made === 1n) return;
      const { numUpdatedRows: changed } = await db
        .updateTable('clients')
        .set((before) => ({ ...row, version: before('clients.version', '+', 1) }))
        .where('tenant', '=', row.tenant)
        .where('client_id', '=', row.client_id)
        .executeTakeFirstOrThrow();
      if (changed !== 1n) throw new Error(`there is a client ${row.client_id} of another tenant`);
    },

    async anyDemo() {
      const row = await every.selectFrom('clients').select('client_id').where('demo', '=', true).executeTakeFirst();
      return row !== undefined;
    },
  };
}

/**
 * The row as it is, which nobody else can change until the transaction ends.
 * @throws VersionDiffers
 */
async function locked(
  trx: Kysely<AuthTables>,
  tenant: string,
  clientId: string,
  expected: Expected,
): Promise<ClientRecord | undefined> {
  const row = await trx
    .selectFrom('clients')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('client_id', '=', clientId)
    .forUpdate()
    .executeTakeFirst();
  if (row !== undefined && expected?.includes(row.version) === false) throw new VersionDiffers();
  return row && recordOf(row);
}

const recordOf = (row: Selectable<AuthTables['clients']>): ClientRecord => ({
  tenant: row.tenant,
  clientId: row.client_id,
  name: row.name,
  authMethod: row.auth_method,
  applicationType: row.application_type,
  secretHash: row.secret_hash ?? undefined,
  previousSecret:
    row.previous_secret_hash !== null && row.previous_secret_until !== null
      ? { hash: row.previous_secret_hash, until: row.previous_secret_until.getTime() }
      : undefined,
  jwks: row.jwks ?? undefined,
  jwksUri: row.jwks_uri ?? undefined,
  redirectUris: row.redirect_uris,
  grantTypes: row.grant_types,
  // a scope that a later version no longer knows is granted to nobody
  scopes: row.scopes.filter(isScope),
  dpopBound: row.dpop_bound,
  requirePar: row.require_par,
  // a resource that a later version no longer knows is nobody's
  ...(isResourceName(row.introspects) && { introspects: row.introspects }),
  ...(row.customers_per_task !== null && { customersPerTask: row.customers_per_task }),
  ...(row.customers_per_hour !== null && { customersPerHour: row.customers_per_hour }),
  ...(row.all_tenants && { allTenants: true }),
  demo: row.demo,
  disabled: row.disabled,
  createdAt: row.created_at.getTime(),
  version: row.version,
});

const rowOf = (client: ClientRecord): Insertable<AuthTables['clients']> => ({
  tenant: client.tenant,
  client_id: client.clientId,
  name: client.name,
  auth_method: client.authMethod,
  application_type: client.applicationType,
  secret_hash: client.secretHash ?? null,
  previous_secret_hash: client.previousSecret?.hash ?? null,
  previous_secret_until: client.previousSecret ? new Date(client.previousSecret.until) : null,
  jwks: client.jwks ? JSON.stringify(client.jwks) : null,
  jwks_uri: client.jwksUri ?? null,
  redirect_uris: JSON.stringify(client.redirectUris),
  grant_types: JSON.stringify(client.grantTypes),
  scopes: JSON.stringify(client.scopes),
  dpop_bound: client.dpopBound,
  require_par: client.requirePar,
  introspects: client.introspects ?? null,
  customers_per_task: client.customersPerTask ?? null,
  customers_per_hour: client.customersPerHour ?? null,
  all_tenants: client.allTenants ?? false,
  demo: client.demo,
  disabled: client.disabled,
  created_at: new Date(client.createdAt),
  version: client.version,
});

const changeOf = (change: Parameters<Clients['change']>[2]): Updateable<AuthTables['clients']> => ({
  ...(change.name !== undefined && { name: change.name }),
  ...(change.scopes && { scopes: JSON.stringify(change.scopes) }),
  ...(change.redirectUris && { redirect_uris: JSON.stringify(change.redirectUris) }),
  ...(change.disabled !== undefined && { disabled: change.disabled }),
  ...(change.dpopBound !== undefined && { dpop_bound: change.dpopBound }),
  ...(change.requirePar !== undefined && { require_par: change.requirePar }),
  ...(change.customersPerTask !== undefined && { customers_per_task: change.customersPerTask }),
  ...(change.customersPerHour !== undefined && { customers_per_hour: change.customersPerHour }),
  ...(change.allTenants !== undefined && { all_tenants: change.allTenants }),
  // keys of its own instead of the place where they were read
  ...(change.jwks && { jwks: JSON.stringify(change.jwks), jwks_uri: null }),
  ...(change.jwksUri !== undefined && { jwks: null, jwks_uri: change.jwksUri }),
});
