import type { NamedCustomers } from '@portcullis/guard/tool';

export const CUSTOMER_STATUSES = ['active', 'suspended', 'closed'] as const;
export const TICKET_PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export const TICKET_STATUSES = ['open', 'pending', 'closed'] as const;
/** What an attachment may be; found by its content, never by its name. */
export const ATTACHMENT_TYPES = ['application/pdf', 'image/png', 'image/jpeg', 'text/plain'] as const;
/** What is known of an attachment's harm: the scanner found none, or there is no scanner. */
export const SCANS = ['clean', 'not_scanned'] as const;

/** `balance` in whole currency units with at most two decimals; `created_at` RFC 3339, UTC, ms. */
export interface Customer {
  readonly customer_id: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly ssn: string;
  readonly card: string;
  readonly status: (typeof CUSTOMER_STATUSES)[number];
  readonly balance: number;
  readonly created_at: string;
}

export interface Ticket {
  readonly ticket_id: string;
  readonly customer_id: string;
  readonly subject: string;
  readonly description: string;
  readonly priority: (typeof TICKET_PRIORITIES)[number];
  readonly status: (typeof TICKET_STATUSES)[number];
  readonly created_at: string;
}

/** `size_bytes` and `sha256` (lower-case hex) of the content, which no tool reads back. */
export interface Attachment {
  readonly attachment_id: string;
  readonly ticket_id: string;
  readonly name: string;
  readonly type: (typeof ATTACHMENT_TYPES)[number];
  readonly size_bytes: number;
  readonly sha256: string;
  readonly scan: (typeof SCANS)[number];
  readonly created_at: string;
}

export type CustomerChanges = Partial<Pick<Customer, 'name' | 'email' | 'phone' | 'status'>>;
export type NewTicket = Pick<Ticket, 'customer_id' | 'subject' | 'description' | 'priority'>;
export type NewAttachment = Pick<Attachment, 'ticket_id' | 'name' | 'type' | 'sha256' | 'scan'> & {
  readonly content: Uint8Array;
};
export interface NewMail {
  readonly customer_ids: readonly string[];
  readonly subject: string;
  readonly body: string;
}

/** Rows in the order of their ids; `next` is the id to go on after, null at the end. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

/**
 * What the tools work with, narrowed to one tenant. Whatever names a row rejects with Refusal `row_forbidden`
 * when this tenant has none of that id, be it unknown or another tenant's: the two cannot be told apart.
 */
export interface TenantData {
  readonly customers: {
    byId(id: string): Promise<Customer>;
    /** the newest first */
    recent(limit: number): Promise<readonly Customer[]>;
    page(after: string | undefined, limit: number): Promise<Page<Customer>>;
    update(id: string, changes: CustomerChanges): Promise<Customer>;
    /** with all tickets and purchases of the customer */
    remove(id: string): Promise<void>;
    /** what the customer has bought so far, in cents */
    spentCents(id: string): Promise<{ readonly cents: number; readonly purchases: number }>;
  };
  readonly tickets: {
    byId(id: string): Promise<Ticket>;
    create(ticket: NewTicket): Promise<Ticket>;
    page(after: string | undefined, limit: number): Promise<Page<Ticket>>;
    /** whose tickets these are, each customer once, and undefined where some are not there */
    customersOf(ids: readonly string[]): Promise<NamedCustomers>;
    /** all of them with their attachments, or none; one that is not of these customers is not there */
    remove(ids: readonly string[], of: readonly string[]): Promise<void>;
  };
  readonly attachments: {
    /** @throws Refusal row_forbidden without the ticket, or when it is not of these customers; input_invalid when it has 20 already */
    add(attachment: NewAttachment, of: readonly string[]): Promise<Attachment>;
    /** whose tickets these are attached to, each customer once, and undefined where some are not there */
    customersOf(ids: readonly string[]): Promise<NamedCustomers>;
    /** all of them, or none; one on a ticket that is not of these customers is not there */
    remove(ids: readonly string[], of: readonly string[]): Promise<void>;
  };
  readonly mail: {
    /**
     * Writes one mail to each of these customers, or to none.
     * @param approvalAskedAt ms since epoch; when people were asked for it
     * @throws Refusal row_forbidden when one is unknown; approval_needed when the address of one became another since
     */
    queue(mail: NewMail, approvalAskedAt: number): Promise<{ readonly mail_id: string; readonly queued: number }>;
  };
}
