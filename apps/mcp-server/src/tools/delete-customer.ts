import { defineTool } from '@portcullis/guard/tool';
import { customerId } from '@portcullis/validators/ids';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';

export const deleteCustomer = defineTool({
  name: 'delete_customer',
  description:
    'Delete a customer with all tickets and purchases. Cannot be undone. Needs a person who signed in at most 5 minutes ago, and the approval of another one.',
  scopes: ['customer:delete'],
  effects: ['destroys'],
  limit: { perMinute: 60, llmTokens: 500 },
  freshLogin: 300,
  approvals: 1,
  input: z.strictObject({ customer_id: customerId() }),
  output: z.strictObject({ customer_id: customerId(), deleted: z.literal(true) }),
  customersOf: ({ customer_id }) => [customer_id],
  execute: async ({ customer_id }, { customers }: TenantData) => {
    await customers.remove(customer_id);
    return { customer_id, deleted: true as const };
  },
});
