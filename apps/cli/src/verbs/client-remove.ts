import * as z from 'zod';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

export const clientRemove = defineVerb({
  name: 'client remove',
  says: 'removes a client: it gets no token any more',
  argument: { name: 'client', says: 'its client_id' },
  options: [tenantOption],
  input: z.object({ client: z.string().min(1), ...tenantInput }),
  run: async ({ client, tenant }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:clients', ...acrossTenants(tenant)]);
    await authAdmin.send('DELETE', `/clients/${encodeURIComponent(client)}`, undefined, { tenant });
    return { json: { client_id: client, removed: true }, text: `${client} is removed.` };
  },
});
