import * as z from 'zod';
import { expectShape } from '../api.js';
import { userIdOf } from '../users.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const reset = z.object({ user_id: z.string(), username: z.string(), password: z.string() });

export const userReset = defineVerb({
  name: 'user reset',
  says: 'gives a user another password, made by the gate and shown once, here; they are signed out everywhere',
  argument: { name: 'user', says: 'the username, or the id (usr_...)' },
  options: [tenantOption],
  input: z.object({ user: z.string().min(1, 'is empty'), ...tenantInput }),
  run: async ({ user, tenant }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:users', ...acrossTenants(tenant)]);
    const id = await userIdOf(authAdmin, user, tenant);
    const answer = expectShape(reset, await authAdmin.send('POST', `/users/${id}/password`, {}, { tenant }));
    ports.note('The password is shown this once: hand it over in a safe way.');
    return {
      json: answer,
      text: [`user_id   ${answer.user_id}`, `username  ${answer.username}`, `password  ${answer.password}`].join('\n'),
    };
  },
});
