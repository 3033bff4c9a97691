import { defineTool } from '@portcullis/guard/tool';
import * as z from 'zod';
import { DIAGNOSTICS, finding } from '../diagnostics/diagnose.js';
import type { ToolDeps } from './deps.js';

export const runDiagnostic = defineTool({
  name: 'run_diagnostic',
  description:
    'Check one part of this server: its database, its bus, its limiter, the disk of its event spool, or its runtime. Each is a fixed check that takes no other input.',
  scopes: ['diagnostics:run'],
  effects: ['none'],
  onDemand: true,
  limit: { perMinute: 60, llmTokens: 500 },
  safe: ['check'],
  input: z.strictObject({ check: z.enum(DIAGNOSTICS) }),
  output: z.strictObject({ check: z.enum(DIAGNOSTICS), ...finding.shape }),
  execute: async ({ check }, { diagnose, agent }: ToolDeps, { signal }) => ({
    check,
    ...(await diagnose(check, agent, signal)),
  }),
});
