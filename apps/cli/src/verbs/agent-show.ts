import * as z from 'zod';
import { agentColumns, agentIdOf, agentNamed } from '../agents.js';
import { fields } from '../table.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

export const agentShow = defineVerb({
  name: 'agent show',
  says: 'one agent',
  argument: { name: 'agent', says: 'its id (agt_...), or the client_id where that is one agent' },
  options: [tenantOption],
  input: z.object({ agent: z.string().min(1), ...tenantInput }),
  run: async ({ agent, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', ...acrossTenants(tenant)]);
    const found = await agentNamed(analytics, await agentIdOf(analytics, agent, tenant));
    return { json: found, text: fields(agentColumns, found) };
  },
});
