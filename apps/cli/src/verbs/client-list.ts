import * as z from 'zod';
import { pageOf } from '../api.js';
import { clientColumns, clientRow } from '../clients.js';
import { table } from '../table.js';
import { acrossTenants, defineVerb, noteMore, pageInput, pageOptions, tenantInput, tenantOption } from '../verb.js';

export const clientList = defineVerb({
  name: 'client list',
  says: 'registered clients and their ceilings',
  options: [...pageOptions, tenantOption],
  input: z.object({ ...pageInput, ...tenantInput }),
  run: async ({ limit, cursor, tenant }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:clients', ...acrossTenants(tenant)]);
    const { items, next } = pageOf(clientRow, await authAdmin.get('/clients', { limit, cursor, tenant }));
    noteMore(next, ports);
    return { json: items, text: table(clientColumns, items) };
  },
});
