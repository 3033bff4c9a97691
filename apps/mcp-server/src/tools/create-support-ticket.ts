import { defineTool } from '@portcullis/guard/tool';
import { customerId } from '@portcullis/validators/ids';
import { text } from '@portcullis/validators/text';
import * as z from 'zod';
import { TICKET_PRIORITIES, type TenantData } from '../data/data.js';
import { ticketView } from './views.js';

export const createSupportTicket = defineTool({
  name: 'create_support_ticket',
  description: 'Open a support ticket for a customer.',
  scopes: ['ticket:create'],
  effects: ['writes'],
  limit: { perMinute: 20, llmTokens: 800 },
  safe: ['priority'],
  input: z.strictObject({
    customer_id: customerId(),
    subject: text({ max: 200 }),
    description: text({ max: 2000, lines: true }),
    priority: z.enum(TICKET_PRIORITIES).default('normal'),
  }),
  output: ticketView,
  customersOf: ({ customer_id }) => [customer_id],
  execute: async (ticket, { tickets }: TenantData) => tickets.create(ticket),
});
