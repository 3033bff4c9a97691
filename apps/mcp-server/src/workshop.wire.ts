import { resolve } from 'node:path';
import { inflate } from './attachments/inflate.memory.js';
import { noScanner } from './attachments/scanner.js';
import { clamdScanner } from './attachments/scanner.http.js';
import type { McpServerSettings } from './config.js';
import { childDiagnose } from './diagnostics/child.process.js';
import type { Workshop } from './tools/deps.js';

/** @param managementUrl asked at each diagnostic: the management port is taken last */
export function workshopOf(settings: McpServerSettings, managementUrl: () => string): Workshop {
  const { CLAMD_HOST: host, CLAMD_PORT: port, OUTBOX_DIR } = settings;
  return {
    scanner: host === undefined ? noScanner : clamdScanner({ host, port }),
    inflate,
    diagnose: childDiagnose({ readyzUrl: () => `${managementUrl()}/readyz`, spool: resolve(OUTBOX_DIR) }),
  };
}
