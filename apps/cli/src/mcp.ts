import * as z from 'zod';
import { jsonOf, type Question, type Reply } from './ask.js';

const REVISION = '2026-07-28';

/**
 * One `tools/call` of MCP 2026-07-28 over Streamable HTTP: stateless, the headers say what the body says.
 * @param token undefined sends none
 * @param proof of the key that the token is bound to; undefined sends the token as Bearer
 */
export const toolCall = (token: string | undefined, tool: string, args: unknown, proof?: string): Question => ({
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': REVISION,
    'mcp-method': 'tools/call',
    'mcp-name': tool,
    ...(token !== undefined && { authorization: `${proof === undefined ? 'Bearer' : 'DPoP'} ${token}` }),
    ...(proof !== undefined && { dpop: proof }),
  },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: tool,
      arguments: args,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': REVISION,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'portcullis-demo', version: '1' },
      },
    },
  }),
});

/** What became of a call, whichever door answered. */
export interface CallAnswer {
  readonly tool: string;
  /** status of the HTTP answer */
  readonly http: number;
  /** refusal code of the house; undefined when the tool did its work */
  readonly refusal: string | undefined;
  /** what the tool returned; undefined when refused */
  readonly output: Readonly<Record<string, unknown>> | undefined;
  /** the Retry-After header, whole seconds */
  readonly retryAfterSeconds: number | undefined;
  /** scopes that a challenge asks for */
  readonly scopes: readonly string[];
}

/** Where a refused tool result says its code (a JSON-RPC error says it in `error.data`). */
const REFUSAL_META = 'portcullis/refusal';
const refusal = z.object({ code: z.string(), scopes: z.array(z.string()).optional() });
const message = z.object({
  error: z.object({ data: refusal.optional() }).optional(),
  result: z
    .object({
      isError: z.boolean().optional(),
      structuredContent: z.record(z.string(), z.unknown()).optional(),
      _meta: z.object({ [REFUSAL_META]: refusal.optional() }).optional(),
    })
    .optional(),
});

export function callAnswer(tool: string, reply: Reply): CallAnswer {
  const { error, result } = message.safeParse(bodyOf(reply)).data ?? {};
  const seconds = Number(reply.header('retry-after'));
  const ok = reply.status === 200 && error === undefined && result?.structuredContent !== undefined && !result.isError;
  const challenged = /scope="([^"]*)"/.exec(reply.header('www-authenticate') ?? '')?.[1];
  return {
    tool,
    http: reply.status,
    refusal: ok ? undefined : (error?.data?.code ?? result?._meta?.[REFUSAL_META]?.code ?? 'unreadable_answer'),
    output: ok ? result.structuredContent : undefined,
    retryAfterSeconds: Number.isInteger(seconds) && seconds > 0 ? seconds : undefined,
    scopes: challenged?.split(' ').filter(Boolean) ?? error?.data?.scopes ?? [],
  };
}

/** The JSON-RPC message: the body itself, or the last event of an event stream that carries one. */
function bodyOf(reply: Reply): unknown {
  if (!reply.header('content-type')?.includes('text/event-stream')) return jsonOf(reply);
  const events = reply.text.split(/\r?\n\r?\n/).flatMap((event) => {
    const data = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
    return data.length === 0 ? [] : [data.map((line) => line.slice(5).trimStart()).join('\n')];
  });
  return jsonOf({ text: events.at(-1) ?? '' });
}
