import { defineTool } from '@portcullis/guard/tool';
import { isCustomerId, isTicketId } from '@portcullis/validators/ids';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';
import { customerIdsOf, customerView, ticketView } from './views.js';

const IS_ID = { customers: isCustomerId, tickets: isTicketId };

export const exportData = defineTool({
  name: 'export_data',
  description: 'Export customers or tickets page by page, in the order of their ids. Pass next_cursor on as cursor.',
  scopes: ['customer:list', 'data:export'],
  effects: ['reads-pii-in-bulk', 'reads-untrusted'],
  limit: { perMinute: 60, llmTokens: 500 },
  safe: ['dataset', 'limit'],
  input: z
    .strictObject({
      dataset: z.enum(['customers', 'tickets']),
      cursor: z.string().max(20).optional(),
      limit: z.int().min(1).max(500).default(100),
    })
    .refine(({ dataset, cursor }) => cursor === undefined || IS_ID[dataset](cursor), {
      path: ['cursor'],
      error: 'must be the next_cursor of the page before, of the same dataset',
    }),
  output: z.strictObject({
    dataset: z.enum(['customers', 'tickets']),
    rows: z.array(z.union([customerView, ticketView])),
    next_cursor: z.string().nullable(),
  }),
  customersIn: ({ rows }) => customerIdsOf(rows),
  execute: async ({ dataset, cursor, limit }, data: TenantData) => {
    const { rows, next } = await data[dataset].page(cursor, limit);
    return { dataset, rows: [...rows], next_cursor: next };
  },
});
