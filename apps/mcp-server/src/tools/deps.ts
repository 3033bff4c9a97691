import type { Inflate } from '../attachments/pdf.js';
import type { Scanner } from '../attachments/scanner.js';
import type { TenantData } from '../data/data.js';
import type { Diagnose } from '../diagnostics/diagnose.js';

/** What tools need besides their tenant's data; the same for all tenants. */
export interface Workshop {
  readonly scanner: Scanner;
  readonly inflate: Inflate;
  readonly diagnose: Diagnose;
}
export interface ToolDeps extends TenantData, Workshop {
  /** the principal that calls */
  readonly agent: string;
}
