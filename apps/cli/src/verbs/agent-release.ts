import type { BehaviourState } from '@portcullis/contract/standing';
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
  argument: agentArgument,
  options: [reasonOption, tenantOption],
  input: z.object({ ...agentInput, ...reasonInput, ...tenantInput }),
  run: async ({ agent, reason, tenant }, ports) => {
    const analytics = await ports.admin('analytics', ['security:read', 'security:respond', ...acrossTenants(tenant)]);
    const found = await agentNamed(analytics, agent, tenant);
    const to = STEPS[found.state];
    if (to === undefined) throw new NotDone(`${agent} is ${found.state}: there is nothing to release it from.`);
    const moved = await moveAgent(analytics, found.agent, to, reason);
    return { json: moved, text: fields(agentColumns, moved) };
  },
});
