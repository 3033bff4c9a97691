import { toolRegistry } from '@portcullis/guard/tool';
import { calculateAccountValue } from './calculate-account-value.js';
import { createSupportTicket } from './create-support-ticket.js';
import { deleteCustomer } from './delete-customer.js';
import { exportData } from './export-data.js';
import { getCustomerInfo } from './get-customer-info.js';
import { getRecentCustomers } from './get-recent-customers.js';
import { getSupportTicket } from './get-support-ticket.js';
import { updateCustomer } from './update-customer.js';

/** Every tool of the server, in the order clients see. */
export const TOOLS = toolRegistry([
  getCustomerInfo,
  getRecentCustomers,
  getSupportTicket,
  createSupportTicket,
  calculateAccountValue,
  updateCustomer,
  deleteCustomer,
  exportData,
]);
