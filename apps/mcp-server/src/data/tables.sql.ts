import type { Generated, GeneratedAlways } from 'kysely';

/** Schema `tools`. A bigint comes as number, bigint or text, depending on the driver. */
type Bigint = number | bigint | string;

export interface CustomerTable {
  tenant: string;
  customer_id: string;
  name: string;
  email: string;
  phone: string;
  ssn: string;
  card: string;
  status: string;
  balance_cents: Bigint;
  created_at: Date;
  email_changed_at: Generated<Date | null>;
}

export interface TicketTable {
  tenant: string;
  ticket_id: string;
  customer_id: string;
  subject: string;
  description: string;
  priority: string;
  status: string;
  created_at: Date;
}

export interface AttachmentTable {
  tenant: string;
  attachment_id: string;
  ticket_id: string;
  name: string;
  type: string;
  size_bytes: number;
  sha256: string;
  scan: string;
  content: Uint8Array;
  created_at: Date;
}

export interface ToolTables {
  customers: CustomerTable;
  purchases: {
    tenant: string;
    purchase_id: GeneratedAlways<Bigint>;
    customer_id: string;
    amount_cents: Bigint;
    bought_at: Date;
  };
  tickets: TicketTable;
  attachments: AttachmentTable;
  outgoing_mail: {
    tenant: string;
    mail_id: string;
    customer_id: string;
    address: string;
    subject: string;
    body: string;
    created_at: Date;
  };
  numbers: { tenant: string; kind: string; last: Bigint };
  seeded: { tenant: string; seeded_at: Date };
}
