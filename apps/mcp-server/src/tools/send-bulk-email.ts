import { defineTool } from '@portcullis/guard/tool';
import { customerId } from '@portcullis/validators/ids';
import { text } from '@portcullis/validators/text';
import * as z from 'zod';
import type { TenantData } from '../data/data.js';

export const sendBulkEmail = defineTool({
  name: 'send_bulk_email',
  description:
    'Send one e-mail to each of these customers, or to none when one of them is unknown. Two people have to approve it first.',
  scopes: ['email:send'],
  effects: ['sends-outside'],
  limit: { perMinute: 60, llmTokens: 500 },
  approvals: 2,
  input: z.strictObject({
    customer_ids: z.array(customerId()).min(1).max(500),
    subject: text({ max: 200 }),
    body: text({ max: 5000, lines: true }),
  }),
  output: z.strictObject({ mail_id: z.string(), queued: z.int() }),
  customersOf: ({ customer_ids }) => customer_ids,
  // with no time of asking, every address that ever changed is one too late
  execute: async (letter, { mail }: TenantData, { approvalAskedAt = 0 }) => mail.queue(letter, approvalAskedAt),
});
