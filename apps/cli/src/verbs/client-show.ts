import * as z from 'zod';
import { expectShape } from '../api.js';
import { clientColumns, clientRow } from '../clients.js';
import { fields } from '../table.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

export const clientShow = defineVerb({
  name: 'client show',
  says: 'one client; its secret is shown only once, by client add',
  argument: { name: 'client', says: 'its client_id' },
  options: [tenantOption],
  input: z.object({ client: z.string().min(1), ...tenantInput }),
  run: async ({ client, tenant }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:clients', ...acrossTenants(tenant)]);
    const found = expectShape(clientRow, await authAdmin.get(`/clients/${encodeURIComponent(client)}`, { tenant }));
    return { json: found, text: fields(clientColumns, found) };
  },
});
