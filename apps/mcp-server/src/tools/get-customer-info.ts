import { defineTool } from '@portcullis/guard/tool';
import { customerId } from '@portcullis/validators/ids';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';
import { customerView } from './views.js';

export const getCustomerInfo = defineTool({
  name: 'get_customer_info',
  description: 'Look up one customer by id.',
  scopes: ['customer:read'],
  effects: ['reads-pii'],
  limit: { perMinute: 60, llmTokens: 500 },
  input: z.strictObject({ customer_id: customerId() }),
  output: customerView,
  customersOf: ({ customer_id }) => [customer_id],
  execute: async ({ customer_id }, { customers }: TenantData) => customers.byId(customer_id),
});

/** The same behind the resource `customer://{customer_id}`. */
export const readCustomer = defineTool({ ...getCustomerInfo, name: 'read_customer', description: 'One customer.' });
