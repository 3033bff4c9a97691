import { Refusal } from '@portcullis/contract/refusals';
import { defineTool } from '@portcullis/guard/tool';
import { attachmentId, ticketId } from '@portcullis/validators/ids';
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { contentOf, MAX_CONTENT } from '../attachments/content.js';
import { extensionAgrees, nameProblem } from '../attachments/name.js';
import { ATTACHMENT_TYPES, SCANS } from '../data/data.js';
import type { ToolDeps } from './deps.js';

const invalid = (issue: string) => new Refusal('input_invalid', { issues: [issue] });

export const attachFileToTicket = defineTool({
  name: 'attach_file_to_ticket',
  description: `Attach a file to a support ticket: PDF, PNG, JPEG or plain text, at most ${MAX_CONTENT / 1024} KiB, as base64. What it is, is found by its content, and its name has to agree.`,
  scopes: ['ticket:create'],
  effects: ['writes'],
  limit: { perMinute: 60, llmTokens: 500 },
  deadlineMs: 15_000,
  input: z.strictObject({
    ticket_id: ticketId(),
    name: z.string().min(1).max(200),
    content: z
      .string()
      .min(1)
      .max(Math.ceil(MAX_CONTENT / 3) * 4)
      .describe('base64 (RFC 4648 §4) with padding, no line breaks'),
  }),
  output: z.strictObject({
    attachment_id: attachmentId(),
    ticket_id: ticketId(),
    name: z.string(),
    type: z.enum(ATTACHMENT_TYPES),
    size_bytes: z.int(),
    sha256: z.string(),
    scan: z.enum(SCANS).describe('not_scanned: no scanner for harmful files is configured'),
    created_at: z.iso.datetime({ precision: 3 }),
  }),
  customersOf: ({ ticket_id }, { tickets }: ToolDeps) => tickets.customersOf([ticket_id]),
  execute: async ({ ticket_id, name, content: base64 }, { attachments, scanner, inflate }: ToolDeps, context) => {
    const unfit = nameProblem(name);
    if (unfit !== undefined) throw invalid(`name: ${unfit}`);
    const content = Buffer.from(base64, 'base64');
    if (content.toString('base64') !== base64) throw invalid('content: must be base64 with padding');
    const { type, problem } = await contentOf(content, inflate);
    if (type === undefined) throw invalid(`content: ${problem}`);
    if (!extensionAgrees(name, type)) throw invalid(`name: its extension does not say ${type}, which the content is`);
    const scan = await scanner.scan(content, context.signal);
    if (scan === 'infected') throw invalid('content: the scanner found it harmful');
    const sha256 = createHash('sha256').update(content).digest('hex');
    // the scan took its time, and the ticket may be another's by now
    return attachments.add({ ticket_id, name, type, sha256, scan, content }, context.customers ?? []);
  },
});
