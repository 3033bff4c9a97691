import { isRole } from '@portcullis/scopes/roles';
import type { Database } from '@portcullis/sql/database';
import type { Insertable, Selectable } from 'kysely';
import { removeArtefacts } from './artefacts.sql.js';
import { cutPage } from './paging.js';
import { AUTH, type AuthTables } from './tables.js';
import type { UserRecord, Users } from './users.js';

export function sqlUsers(database: Database): Users {
  const db = database.schema<AuthTables>(AUTH);
  const where = async (tenant: string, column: 'user_id' | 'username', value: string) => {
    const row = await db
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
      const rows = await db
        .selectFrom('users')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('user_id', '>', page.after ?? '')
        .orderBy('user_id')
        .limit(page.limit + 1)
        .execute();
      return cutPage(rows.map(recordOf), page, ({ userId }) => userId);
    },

    add: (_tenant, user, confirm) =>
      db.transaction().execute(async (trx) => {
        const added = await trx
          .insertInto('users')
          .values(rowOf(user))
          .onConflict((conflict) => conflict.doNothing())
          .returning('user_id')
          .executeTakeFirst();
        if (added === undefined) return false;
        await confirm();
        return true;
      }),

    remove: (tenant, userId, confirm) =>
      db.transaction().execute(async (trx) => {
        const gone = await trx
          .deleteFrom('users')
          .where('tenant', '=', tenant)
          .where('user_id', '=', userId)
          .returning('user_id')
          .executeTakeFirst();
        if (gone === undefined) return false;
        await removeArtefacts(trx, 'account_id', userId);
        await confirm();
        return true;
      }),

    async put(_tenant, user) {
      const { password_hash, roles, demo, disabled } = rowOf(user);
      await db
        .insertInto('users')
        .values(rowOf(user))
        .onConflict((conflict) =>
          conflict.columns(['tenant', 'username']).doUpdateSet({ password_hash, roles, demo, disabled }),
        )
        .execute();
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
});

const rowOf = (user: UserRecord): Insertable<AuthTables['users']> => ({
  tenant: user.tenant,
  user_id: user.userId,
  username: user.username,
  password_hash: user.passwordHash,
  roles: JSON.stringify(user.roles),
  demo: user.demo,
  disabled: user.disabled,
  created_at: new Date(user.createdAt),
});
