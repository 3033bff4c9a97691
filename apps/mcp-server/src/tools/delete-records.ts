import { defineTool } from '@portcullis/guard/tool';
import { isAttachmentId, isTicketId } from '@portcullis/validators/ids';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';

const IS_ID = { tickets: isTicketId, attachments: isAttachmentId };

export const deleteRecords = defineTool({
  name: 'delete_records',
  description:
    'Delete support tickets with their attachments, or attachments alone: all of these ids, or none when one is unknown. Cannot be undone. A person has to approve it first.',
  scopes: ['data:delete'],
  effects: ['destroys'],
  limit: { perMinute: 60, llmTokens: 500 },
  approvals: 1,
  safe: ['dataset'],
  input: z
    .strictObject({ dataset: z.enum(['tickets', 'attachments']), ids: z.array(z.string().max(20)).min(1).max(100) })
    .refine(({ dataset, ids }) => ids.every(IS_ID[dataset]) && new Set(ids).size === ids.length, {
      path: ['ids'],
      error: 'must be ids of the data set, each once',
    }),
  output: z.strictObject({ dataset: z.enum(['tickets', 'attachments']), deleted: z.int() }),
  customersOf: ({ dataset, ids }, data: TenantData) => data[dataset].customersOf(ids),
  execute: async ({ dataset, ids }, data: TenantData, { customers = [] }) => {
    await data[dataset].remove(ids, customers);
    return { dataset, deleted: ids.length };
  },
});
