import { attachmentId, customerId, isAttachmentId, isCustomerId, isTicketId, ticketId } from './ids.js';

const HOSTILE = [
  "'; DROP TABLE customers; --",
  '12345\n',
  '12345 ',
  ' 12345',
  '１２３４５',
  '1234',
  '12345678901',
  'abcde',
  '',
  '12345\0',
  12345,
  null,
  ['12345'],
];

it.each(['12345', 'ABC123', 'XYZ789', 'A1B2C3D4E5'])('%s is a customer id', (id) => {
  expect([customerId().safeParse(id).success, isCustomerId(id)]).toEqual([true, true]);
});

it.each(HOSTILE)('%j is no customer id', (id) => {
  expect([customerId().safeParse(id).success, isCustomerId(id)]).toEqual([false, false]);
});

it.each(['T-123456', 'T-123456789012'])('%s is a ticket id', (id) => {
  expect([ticketId().safeParse(id).success, isTicketId(id)]).toEqual([true, true]);
});

it.each(['T-12345', 'T-1234567890123', 't-123456', 'T-12345a', 'T-123456\n', 'T--123456'])(
  '%j is no ticket id',
  (id) => {
    expect([ticketId().safeParse(id).success, isTicketId(id)]).toEqual([false, false]);
  },
);

it.each([
  ['A-123456', true],
  ['A-123456789012', true],
  ['A-12345', false],
  ['A-1234567890123', false],
  ['T-123456', false],
  ['a-123456', false],
  ['A-123456\n', false],
])('that %j is an attachment id: %s', (id, is) => {
  expect([attachmentId().safeParse(id).success, isAttachmentId(id)]).toEqual([is, is]);
});
