import * as z from 'zod';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const verbFor = (word: 'disable' | 'enable', disabled: boolean, says: string) =>
  defineVerb({
    name: `client ${word}`,
    says,
    argument: { name: 'client', says: 'its client_id' },
    options: [tenantOption],
    input: z.object({ client: z.string().min(1), ...tenantInput }),
    run: async ({ client, tenant }, ports) => {
      const authAdmin = await ports.admin('authAdmin', ['admin:clients', ...acrossTenants(tenant)]);
      await authAdmin.send('PATCH', `/clients/${encodeURIComponent(client)}`, { disabled }, { tenant });
      return { json: { client_id: client, disabled }, text: `${client} is ${word}d.` };
    },
  });

export const clientDisable = verbFor('disable', true, 'a client gets no token until it is enabled again');
export const clientEnable = verbFor('enable', false, 'a client that was disabled gets tokens again');
