import { defineTool } from '@portcullis/guard/tool';
import { customerId } from '@portcullis/validators/ids';
import { text } from '@portcullis/validators/text';
import * as z from 'zod';
import { CUSTOMER_STATUSES, type TenantData } from '../data/data.js';
import { customerView } from './views.js';

export const updateCustomer = defineTool({
  name: 'update_customer',
  description: 'Change the name, e-mail, phone or status of a customer. Give at least one of them.',
  scopes: ['customer:write'],
  effects: ['writes', 'reads-pii'],
  limit: { perMinute: 60, llmTokens: 500 },
  safe: ['status'],
  input: z
    .strictObject({
      customer_id: customerId(),
      name: text({ max: 200 }).optional(),
      email: z.email().max(254).optional(),
      phone: z
        .string()
        .regex(/^\+?[0-9 ()-]{5,30}$/, 'must be digits, spaces, brackets and hyphens')
        .optional(),
      status: z.enum(CUSTOMER_STATUSES).optional(),
    })
    .refine(({ customer_id: _, ...changes }) => Object.values(changes).some((change) => change !== undefined), {
      error: 'needs at least one of name, email, phone, status',
    }),
  output: customerView,
  customersOf: ({ customer_id }) => [customer_id],
  execute: async ({ customer_id, ...changes }, { customers }: TenantData) => customers.update(customer_id, changes),
});
