import * as z from 'zod';

const CUSTOMER = /^[A-Z0-9]{5,10}$/;
const ATTACHMENT = /^A-[0-9]{6,12}$/;
const TICKET = /^T-[0-9]{6,12}$/;

export const customerId = () => z.string().regex(CUSTOMER, 'must be 5 to 10 capital letters or digits');
export const ticketId = () => z.string().regex(TICKET, 'must be T- and 6 to 12 digits');
export const attachmentId = () => z.string().regex(ATTACHMENT, 'must be A- and 6 to 12 digits');

export const isCustomerId = (value: unknown): value is string => typeof value === 'string' && CUSTOMER.test(value);
export const isTicketId = (value: unknown): value is string => typeof value === 'string' && TICKET.test(value);
export const isAttachmentId = (value: unknown): value is string => typeof value === 'string' && ATTACHMENT.test(value);
