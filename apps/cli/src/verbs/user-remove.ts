import * as z from 'zod';
import { userIdOf } from '../users.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

export const userRemove = defineVerb({
  name: 'user remove',
  says: 'removes a user, with their sessions and what they granted to agents',
  argument: { name: 'user', says: 'the username, or the id (usr_...)' },
  options: [tenantOption],
  input: z.object({ user: z.string().min(1, 'is empty'), ...tenantInput }),
  run: async ({ user, tenant }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:users', ...acrossTenants(tenant)]);
    const id = await userIdOf(authAdmin, user, tenant);
    await authAdmin.send('DELETE', `/users/${id}`, undefined, { tenant });
    return { json: { user_id: id, removed: true }, text: `${user} is removed.` };
  },
});
