import * as z from 'zod';
import { agentColumns, agentsOf } from '../agents.js';
import { table } from '../table.js';
import { acrossTenants, defineVerb, noteMore, pageInput, pageOptions, tenantInput, tenantOption } from '../verb.js';

export const agentList = defineVerb({
  name: 'agent list',
  says: 'agents, their state of behaviour and why they are in it',
  options: [...pageOptions, tenantOption],
  input: z.object({ ...pageInput, ...tenantInput }),
  run: async ({ limit, cursor, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', ...acrossTenants(tenant)]);
    const { items, next } = await agentsOf(analytics, { tenant, limit, cursor });
    noteMore(next, ports);
    return { json: items, text: table(agentColumns, items) };
  },
});
