import * as z from 'zod';

/** What content blocks hold (MCP 2026-07-28, schema `ContentBlock`). `any` because a block says nothing of customers. */
const text = z.string().max(1024 * 1024);
const uri = z.string().max(2048);
const mimeType = z.string().max(255);
const annotations = z.any().optional();
const contents = z.union([
  z.object({ uri, mimeType: mimeType.optional(), text }),
  z.object({ uri, mimeType: mimeType.optional(), blob: text }),
]);
const block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text, annotations }),
  z.object({ type: z.literal('image'), data: text, mimeType, annotations }),
  z.object({ type: z.literal('audio'), data: text, mimeType, annotations }),
  z.object({ type: z.literal('resource'), resource: contents, annotations }),
  z.object({
    type: z.literal('resource_link'),
    uri,
    name: z.string().max(200),
    description: z.string().max(1000).optional(),
    mimeType: mimeType.optional(),
    annotations,
  }),
]);

/** A result that asks the client for something before the call can go on (MCP 2026-07-28, basic/patterns/mrtr). */
export const inputRequired = z
  .object({
    resultType: z.literal('input_required'),
    inputRequests: z
      .record(z.string().max(128), z.object({ method: z.string().max(128), params: z.any().optional() }))
      .optional(),
    /** comes back from the client as it likes; sign it where that matters */
    requestState: z.string().max(16_384).optional(),
  })
  .refine(({ inputRequests, requestState }) => inputRequests !== undefined || requestState !== undefined, {
    error: 'asks for nothing and keeps nothing',
  });

const whole = z.object({
  resultType: z.literal('complete').optional(),
  content: z.array(block).max(1000),
  isError: z.boolean().optional(),
});

/** The output of a tool with `answers: 'result'`: a whole CallToolResult of its own, or a request for input. */
export const toolResult = z.union([inputRequired, whole]);

/** The output of a tool with `answers: 'result'` behind a resource. */
export const resourceResult = z.object({ contents: z.array(contents).max(100) });
