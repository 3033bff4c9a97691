import * as z from 'zod';
import { agentColumns, agentIdOf, moveAgent, reasonInput, reasonOption } from '../agents.js';
import { fields } from '../table.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

export const agentQuarantine = defineVerb({
  name: 'agent quarantine',
  says: 'contains an agent: no call and no token until a person releases it',
  argument: { name: 'agent', says: 'its id (agt_...), or the client_id where that is one agent' },
  options: [reasonOption, tenantOption],
  input: z.object({ agent: z.string().min(1), ...reasonInput, ...tenantInput }),
  run: async ({ agent, reason, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', 'security:respond', ...acrossTenants(tenant)]);
    const moved = await moveAgent(analytics, await agentIdOf(analytics, agent, tenant), 'Isolated', reason);
    return { json: moved, text: fields(agentColumns, moved) };
  },
});
