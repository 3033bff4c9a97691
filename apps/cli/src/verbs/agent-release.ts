import type { BehaviourState } from '@portcullis/contract/standing';
import * as z from 'zod';
import { agentColumns, agentIdOf, agentNamed, moveAgent, reasonInput, reasonOption } from '../agents.js';
import { NotDone } from '../faults.js';
import { fields } from '../table.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

/** One step back to normal: from containment to half the limits, from there to all of them. */
const STEPS: Partial<Record<BehaviourState, BehaviourState>> = {
  Isolated: 'Remediation',
  Compromised: 'Remediation',
  Remediation: 'Normal',
  Investigation: 'Normal',
};

export const agentRelease = defineVerb({
  name: 'agent release',
  says: 'moves an agent one step back: Isolated to Remediation (half the limits), Remediation to Normal',
  argument: { name: 'agent', says: 'its id (agt_...), or the client_id where that is one agent' },
  options: [reasonOption, tenantOption],
  input: z.object({ agent: z.string().min(1), ...reasonInput, ...tenantInput }),
  run: async ({ agent, reason, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', 'security:respond', ...acrossTenants(tenant)]);
    const id = await agentIdOf(analytics, agent, tenant);
    const { state } = await agentNamed(analytics, id);
    const to = STEPS[state];
    if (to === undefined) throw new NotDone(`${agent} is ${state}, so there is nothing to release it from.`);
    const moved = await moveAgent(analytics, id, to, reason);
    return { json: moved, text: fields(agentColumns, moved) };
  },
});
