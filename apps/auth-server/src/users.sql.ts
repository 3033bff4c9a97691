import { isRole } from '@portcullis/scopes/roles';
import type { Database } from '@portcullis/sql/database';
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import { removeArtefacts } from './artefacts.sql.js';
import { cutPage } from './paging.js';
import { revokeTokensWith, revokeWith } from './revocations.sql.js';
import { AUTH, type AuthTables } from './tables.js';
import { narrowsUser, type UserChange, type UserRecord, type Users } from './users.js';
import { VersionDiffers, type Expected } from './versions.js';

/** @param now ms since epoch: when a person who is disabled, narrowed or removed had their last token */
export function sqlUsers(database: Database, now: () => number = Date.now): Users {
  const of = (tenant: string): Kysely<AuthTables> => database.ofTenant<AuthTables>(tenant, AUTH);
  const where = async (tenant: string, column: 'user_id' | 'username', value: string) => {
    const row = await of(tenant)
      .selectFrom('users')
      .selectAll()
      .where('tenant', '=', tenant)
      .where(column, '=', value)
      .executeTakeFirst();
    return row && recordOf(row);
  };
  return {
    byId: (tenant, userId) => where(tenant, 'user_id', userId),
    byName: (tenant, username) => where(tenant, 'username', username),

    async list(tenant, page) {
      const rows = await of(tenant)
        .selectFrom('users')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('user_id', '>', page.after ?? '')
        .orderBy('user_id')
        .limit(page.limit + 1)
        .execute();
      return cutPage(rows.map(recordOf), page, ({ userId }) => userId);
    },

    add: (tenant, user, confirm) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          const added = await trx
            .insertInto('users')
            .values(userRow(user))
            .onConflict((conflict) => conflict.doNothing())
            .returning('user_id')
            .executeTakeFirst();
          if (added === undefined) return false;
          await confirm();
          return true;
        }),

    change: (tenant, userId, change, confirm, expected) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          const before = await locked(trx, tenant, userId, expected);
          if (before === undefined) return undefined;
          const row = await trx
            .updateTable('users')
            .set({ ...changeOf(change), version: before.version + 1 })
            .where('tenant', '=', tenant)
            .where('user_id', '=', userId)
            .returningAll()
            .executeTakeFirstOrThrow();
          const them = { tenant, what: 'user', id: userId } as const;
          if (change.disabled === true || change.passwordHash !== undefined) {
            const reason = change.disabled === true ? 'disabled' : 'another password';
            await revokeWith(trx, { ...them, reason }, now());
            await removeArtefacts(trx, 'account_id', userId);
          } else if (narrowsUser(before, change)) {
            await revokeTokensWith(trx, { ...them, reason: 'narrowed' }, now());
          }
          await confirm(before);
          return recordOf(row);
        }),

    remove: (tenant, userId, confirm, expected) =>
      of(tenant)
        .transaction()
        .execute(async (trx) => {
          const before = await locked(trx, tenant, userId, expected);
          if (before === undefined) return false;
          await trx.deleteFrom('users').where('tenant', '=', tenant).where('user_id', '=', userId).execute();
          await revokeWith(trx, { tenant, what: 'user', id: userId, reason: 'removed' }, now());
          await removeArtefacts(trx, 'account_id', userId);
          await confirm(before);
          return true;
        }),

    async put(tenant, user) {
      const db = of(tenant);
      const { user_id: _u, created_at: _at, ...row } = userRow(user);
      // no target: of replicas that start at once one may meet the other in any unique index
      const { numInsertedOrUpdatedRows: made } = await db
        .insertInto('users')
        .values(userRow(user))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (made === 1n) return;
      const { numUpdatedRows: changed } = await db
        .updateTable('users')
        .set((before) => ({ ...row, version: before('users.version', '+', 1) }))
        .where('tenant', '=', row.tenant)
        .where('username', '=', row.username)
        .executeTakeFirstOrThrow();
      if (changed !== 1n) throw new Error(`the id of user ${row.username} is that of another user`);
    },
  };
}

const recordOf = (row: Selectable<AuthTables['users']>): UserRecord => ({
  tenant: row.tenant,
  userId: row.user_id,
  username: row.username,
  passwordHash: row.password_hash,
  // a role that a later version no longer knows gives nothing
  roles: row.roles.filter(isRole),
  demo: row.demo,
  disabled: row.disabled,
  createdAt: row.created_at.getTime(),
  version: row.version,
});

export const userRow = (user: UserRecord): Insertable<AuthTables['users']> => ({
  tenant: user.tenant,
  user_id: user.userId,
  username: user.username,
  password_hash: user.passwordHash,
  roles: JSON.stringify(user.roles),
  demo: user.demo,
  disabled: user.disabled,
  created_at: new Date(user.createdAt),
  version: user.version,
});

const changeOf = (change: UserChange): Updateable<AuthTables['users']> => ({
  ...(change.roles && { roles: JSON.stringify(change.roles) }),
  ...(change.disabled !== undefined && { disabled: change.disabled }),
  ...(change.passwordHash !== undefined && { password_hash: change.passwordHash }),
});

/**
 * The row as it is, which nobody else can change until the transaction ends.
 * @throws VersionDiffers
 */
async function locked(
  trx: Kysely<AuthTables>,
  tenant: string,
  userId: string,
  expected: Expected,
): Promise<UserRecord | undefined> {
  const row = await trx
    .selectFrom('users')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (row !== undefined && expected?.includes(row.version) === false) throw new VersionDiffers();
  return row && recordOf(row);
}
