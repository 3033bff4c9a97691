import * as z from 'zod';
import {
  agentArgument,
  agentColumns,
  agentInput,
  agentNamed,
  moveAgent,
  reasonInput,
  reasonOption,
} from '../agents.js';
import { fields } from '../table.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

export const agentQuarantine = defineVerb({
  name: 'agent quarantine',
  says: 'contains an agent: no call and no token until a person releases it',
  argument: agentArgument,
  options: [reasonOption, tenantOption],
  input: z.object({ ...agentInput, ...reasonInput, ...tenantInput }),
  run: async ({ agent, reason, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', 'security:respond', ...acrossTenants(tenant)]);
    const found = await agentNamed(analytics, agent, tenant);
    const moved = await moveAgent(analytics, found.agent, 'Isolated', reason);
    return { json: moved, text: fields(agentColumns, moved) };
  },
});
