import { ROLES, type Role } from '@portcullis/scopes/roles';
import * as z from 'zod';
import { expectShape } from '../api.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const NAMES = Object.keys(ROLES) as [Role, ...Role[]];
const created = z.object({ user_id: z.string(), username: z.string(), password: z.string() });

export const userAdd = defineVerb({
  name: 'user add',
  says: 'makes a user; their first password is made by the gate and shown once, here',
  argument: { name: 'username', says: 'what they sign in with' },
  options: [{ flags: '--role <role>', says: `one of ${NAMES.join(', ')}`, repeated: true }, tenantOption],
  input: z.object({
    username: z.string().min(1, 'is empty'),
    role: z
      .array(z.enum(NAMES, `takes ${NAMES.join(', ')}`), 'is missing: say what the user may do')
      .min(1, 'is missing: say what the user may do'),
    ...tenantInput,
  }),
  run: async ({ username, role, tenant }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:users', ...acrossTenants(tenant)]);
    const wish = { username, roles: role, ...(tenant !== undefined && { tenant }) };
    const user = expectShape(created, await authAdmin.send('POST', '/users', wish));
    ports.note('The password is shown this once: hand it over in a safe way.');
    return {
      json: user,
      text: [`user_id   ${user.user_id}`, `username  ${user.username}`, `password  ${user.password}`].join('\n'),
    };
  },
});
