import { toolRegistry } from '@portcullis/guard/tool';
import { analyzeCustomerSentiment } from './analyze-customer-sentiment.js';
import { attachFileToTicket } from './attach-file-to-ticket.js';
import { calculateAccountValue } from './calculate-account-value.js';
import { createSupportTicket } from './create-support-ticket.js';
import { deleteCustomer } from './delete-customer.js';
import { deleteRecords } from './delete-records.js';
import { exportData } from './export-data.js';
import { getCustomerInfo } from './get-customer-info.js';
import { getRecentCustomers } from './get-recent-customers.js';
import { getSupportTicket } from './get-support-ticket.js';
import { readAllCustomers } from './read-all-customers.js';
import { runDiagnostic } from './run-diagnostic.js';
import { sendBulkEmail } from './send-bulk-email.js';
import { updateCustomer } from './update-customer.js';

/** Every tool of the server, in the order clients see. */
export const TOOLS = toolRegistry([
  getCustomerInfo,
  getRecentCustomers,
  getSupportTicket,
  createSupportTicket,
  calculateAccountValue,
  analyzeCustomerSentiment,
  updateCustomer,
  deleteCustomer,
  attachFileToTicket,
  runDiagnostic,
  readAllCustomers,
  exportData,
  sendBulkEmail,
  deleteRecords,
]);
