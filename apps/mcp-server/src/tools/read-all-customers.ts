import { defineTool } from '@portcullis/guard/tool';
import { customerId } from '@portcullis/validators/ids';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';
import { customerIdsOf, customerView } from './views.js';

export const readAllCustomers = defineTool({
  name: 'read_all_customers',
  description: 'Read all customers page by page, in the order of their ids. Pass next_cursor on as cursor.',
  scopes: ['customer:list'],
  effects: ['reads-pii-in-bulk'],
  limit: { perMinute: 60, llmTokens: 500 },
  safe: ['limit'],
  input: z.strictObject({ cursor: customerId().optional(), limit: z.int().min(1).max(200).default(50) }),
  output: z.strictObject({ customers: z.array(customerView), next_cursor: z.string().nullable() }),
  customersIn: ({ customers }) => customerIdsOf(customers),
  execute: async ({ cursor, limit }, { customers }: TenantData) => {
    const { rows, next } = await customers.page(cursor, limit);
    return { customers: [...rows], next_cursor: next };
  },
});
