import { defineTool } from '@portcullis/guard/tool';
import { customerId } from '@portcullis/validators/ids';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';
import { centsOf } from './cents.js';

const LIMIT = 1e9;
const amount = z.number().gt(-LIMIT).lt(LIMIT);

export const calculateAccountValue = defineTool({
  name: 'calculate_account_value',
  description:
    'Add up purchases, exact to the cent: those given, those stored for a customer, or both. A customer also needs the scope customer:read.',
  scopes: ['account:calculate'],
  scopesFor: ({ customer_id }) => (customer_id === undefined ? [] : ['customer:read']),
  effects: ['reads-pii'],
  limit: { perMinute: 30, llmTokens: 1000 },
  input: z
    .strictObject({ customer_id: customerId().optional(), purchases: z.array(amount).min(1).max(1000).optional() })
    .refine((input) => input.customer_id !== undefined || input.purchases !== undefined, {
      error: 'needs customer_id, purchases, or both',
    }),
  output: z.strictObject({ customer_id: customerId().optional(), purchases: z.int(), total: z.number() }),
  customersOf: ({ customer_id }) => (customer_id === undefined ? [] : [customer_id]),
  execute: async ({ customer_id, purchases = [] }, { customers }: TenantData) => {
    const stored = customer_id === undefined ? { cents: 0, purchases: 0 } : await customers.spentCents(customer_id);
    const cents = purchases.reduce((sum, purchase) => sum + centsOf(purchase), stored.cents);
    return { customer_id, purchases: stored.purchases + purchases.length, total: cents / 100 };
  },
});
