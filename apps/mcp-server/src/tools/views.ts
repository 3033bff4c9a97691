import { customerId, ticketId } from '@portcullis/validators/ids';
import { card, ssn } from '@portcullis/validators/sensitive';
import * as z from 'zod';
import { CUSTOMER_STATUSES, TICKET_PRIORITIES, TICKET_STATUSES } from '../data/data.js';

/** A customer as tools show one. */
export const customerView = z.strictObject({
  customer_id: customerId(),
  name: z.string(),
  email: z.string(),
  phone: z.string(),
  ssn: ssn(),
  card: card(),
  status: z.enum(CUSTOMER_STATUSES),
  balance: z.number(),
  created_at: z.iso.datetime({ precision: 3 }),
});

/** Whose rows these are. */
export const customerIdsOf = (rows: readonly { readonly customer_id: string }[]): string[] =>
  rows.map(({ customer_id }) => customer_id);

/** A support ticket as tools show one. Subject and description were written by strangers. */
export const ticketView = z.strictObject({
  ticket_id: ticketId(),
  customer_id: customerId(),
  subject: z.string(),
  description: z.string(),
  priority: z.enum(TICKET_PRIORITIES),
  status: z.enum(TICKET_STATUSES),
  created_at: z.iso.datetime({ precision: 3 }),
});
