import * as z from 'zod';
import { agentArgument, agentColumns, agentInput, agentNamed, type AgentDetail } from '../agents.js';
import { fields, table, type Column } from '../table.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const columns: readonly Column<AgentDetail>[] = [
  ...agentColumns,
  { head: 'last minute', of: ({ denials_last_minute }) => `${denials_last_minute} denials` },
  { head: 'you may', of: ({ a_person_may }) => a_person_may },
];
const steps: readonly Column<AgentDetail['transitions'][number]>[] = [
  { head: 'at', of: ({ at }) => at },
  { head: 'from', of: ({ from }) => from },
  { head: 'to', of: ({ to }) => to },
  { head: 'why', of: ({ why }) => why },
  { head: 'by', of: ({ by }) => by },
];

export const agentShow = defineVerb({
  name: 'agent show',
  says: 'one agent and how it came into its state',
  argument: agentArgument,
  options: [tenantOption],
  input: z.object({ ...agentInput, ...tenantInput }),
  run: async ({ agent, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', ...acrossTenants(tenant)]);
    const found = await agentNamed(analytics, agent, tenant);
    return { json: found, text: `${fields(columns, found)}\n\n${table(steps, found.transitions)}` };
  },
});
