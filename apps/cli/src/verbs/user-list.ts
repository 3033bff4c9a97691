import * as z from 'zod';
import { pageOf } from '../api.js';
import { table } from '../table.js';
import { userColumns, userRow } from '../users.js';
import { acrossTenants, defineVerb, noteMore, pageInput, pageOptions, tenantInput, tenantOption } from '../verb.js';

export const userList = defineVerb({
  name: 'user list',
  says: 'the people who may sign in, and their roles',
  options: [...pageOptions, tenantOption],
  input: z.object({ ...pageInput, ...tenantInput }),
  run: async ({ limit, cursor, tenant }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:users', ...acrossTenants(tenant)]);
    const { items, next } = pageOf(userRow, await authAdmin.get('/users', { limit, cursor, tenant }));
    noteMore(next, ports);
    return { json: items, text: table(userColumns, items) };
  },
});
