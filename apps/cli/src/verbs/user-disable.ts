import * as z from 'zod';
import { userIdOf } from '../users.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const verbFor = (word: 'disable' | 'enable', disabled: boolean, says: string) =>
  defineVerb({
    name: `user ${word}`,
    says,
    argument: { name: 'user', says: 'the username, or the id (usr_...)' },
    options: [tenantOption],
    input: z.object({ user: z.string().min(1, 'is empty'), ...tenantInput }),
    run: async ({ user, tenant }, ports) => {
      const authAdmin = await ports.admin('authAdmin', ['admin:users', ...acrossTenants(tenant)]);
      const id = await userIdOf(authAdmin, user, tenant);
      await authAdmin.send('PATCH', `/users/${id}`, { disabled }, { tenant });
      return { json: { user_id: id, disabled }, text: `${user} is ${word}d.` };
    },
  });

export const userDisable = verbFor('disable', true, 'a user is signed out and signs in no more until enabled again');
export const userEnable = verbFor('enable', false, 'a user that was disabled may sign in again');
