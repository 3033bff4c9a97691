import { defineTool } from '@portcullis/guard/tool';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';
import { customerIdsOf, customerView } from './views.js';

/** More than this is a list, and asks for the scope of lists. */
const FEW = 10;

export const getRecentCustomers = defineTool({
  name: 'get_recent_customers',
  description: `List the newest customers, the newest first. More than ${FEW} at once needs the scope customer:list.`,
  scopes: ['customer:read'],
  scopesFor: ({ limit }) => (typeof limit === 'number' && limit > FEW ? ['customer:list'] : []),
  effects: ['reads-pii'],
  limit: { perMinute: 60, llmTokens: 500 },
  safe: ['limit'],
  input: z.strictObject({ limit: z.int().min(1).max(50).default(FEW) }),
  output: z.strictObject({ customers: z.array(customerView) }),
  customersIn: ({ customers }) => customerIdsOf(customers),
  execute: async ({ limit }, { customers }: TenantData) => ({ customers: [...(await customers.recent(limit))] }),
});
