import * as z from 'zod';
import { agentColumns, agentRow } from '../agents.js';
import { pageOf } from '../api.js';
import { table } from '../table.js';
import { acrossTenants, defineVerb, noteMore, pageInput, pageOptions, tenantInput, tenantOption } from '../verb.js';

export const agentList = defineVerb({
  name: 'agent list',
  says: 'agents, their state of behaviour and why they are in it',
  options: [...pageOptions, tenantOption],
  input: z.object({ ...pageInput, ...tenantInput }),
  run: async ({ limit, cursor, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', ...acrossTenants(tenant)]);
    const { items, next } = pageOf(agentRow, await analytics.get('/agents', { limit, cursor, tenant }));
    noteMore(next, ports);
    return { json: items, text: items.length > 0 ? table(agentColumns, items) : nobody(tenant) };
  },
});

/** The demo plays in a tenant of its own, whose agents are forgotten with it, so the list is empty after it. */
const nobody = (tenant?: string): string =>
  tenant === undefined
    ? 'No agent of your tenant has called yet. What the demo did: npx portcullis audit tail --tenant TENANT, with the tenant of its last line.'
    : `No agent is known in tenant ${tenant}. What was done there: npx portcullis audit tail --tenant ${tenant}`;
