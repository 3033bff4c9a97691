import {
  createMcpHandler,
  Server,
  WebStandardStreamableHTTPServerTransport,
  type AuthInfo,
  type McpServerFactory,
} from '@modelcontextprotocol/server';
import { Refusal, type RefusalCode } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import * as z from 'zod';
import type { ListedTool } from './catalog.js';
import type { Changes } from './changes.js';
import type { Message, ProtocolHeaders } from './message.js';
import { LEGACY, SUPPORTED, type Era, type ServerInfo } from './protocol.js';

/** What the SDK answered: a status, and the JSON-RPC response if there is one. */
export interface SdkAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What the server says of itself and lists to each caller. */
export interface Served {
  readonly serverInfo: ServerInfo;
  /** for the model, said once at the beginning */
  readonly instructions: string;
  tools(caller: Caller): readonly ListedTool[];
  resourceTemplates(caller: Caller): readonly object[];
  resources(caller: Caller): readonly object[];
  /** which lists change while the server runs */
  readonly changes: Changes;
  /** registers what else is served (prompts, completions …) with the server that is made for one request */
  extend?(server: Server, request: { readonly caller: Caller; readonly era: Era }): void;
}

export interface OtherMethods {
  /** @throws Refusal for whatever the SDK answers with an error */
  answer(message: Message, caller: Caller, headers: ProtocolHeaders): Promise<SdkAnswer>;
  close(): Promise<void>;
}

/** Lists are the caller's own and may be kept so long, milliseconds (MCP 2026-07-28, server/utilities/caching). */
const KEEP = { ttlMs: 60_000, cacheScope: 'private' } as const;

/**
 * Every method but `tools/call` and `resources/read`, served by the SDK: handshake, discovery, lists, ping. The server
 * behind it has no handler for calls at all, so nothing can be executed here.
 * @param onError what the SDK reports; for the log
 */
export function otherMethods(served: Served, onError: (error: Error) => void): OtherMethods {
  const factory: McpServerFactory = ({ authInfo }) => serverFor(served, authInfo, 'modern');
  const modern = createMcpHandler(factory, { legacy: 'reject', onerror: onError });

  const legacy = async (request: Request, body: object, authInfo: AuthInfo): Promise<Response> => {
    // One answer as JSON, where the SDK's own fallback for older revisions would open an event stream.
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    const server = serverFor(served, authInfo, 'legacy');
    try {
      await server.connect(transport);
      return await transport.handleRequest(request, { parsedBody: body, authInfo });
    } finally {
      await server.close();
    }
  };

  return {
    async answer(message, caller, headers) {
      const authInfo = infoOf(caller);
      const request = requestOf(headers);
      const response =
        message.era === 'modern'
          ? await modern.fetch(request, { parsedBody: message.body, authInfo })
          : await legacy(request, message.body, authInfo);
      const answer = await read(response);
      // the SDK knows of the revision that it serves this way only
      if (message.method === 'server/discover' && message.id !== undefined) supportingAll(answer);
      return answer;
    },
    close: () => modern.close(),
  };
}

function serverFor(
  { serverInfo, instructions, tools, resources, resourceTemplates, changes, extend }: Served,
  authInfo: AuthInfo | undefined,
  era: Era,
): Server {
  const caller = authInfo?.extra?.['caller'] as Caller;
  const server = new Server(serverInfo, {
    capabilities: {
      tools: { listChanged: changes.kinds.has('toolsListChanged') },
      resources: { listChanged: changes.kinds.has('resourcesListChanged'), subscribe: false },
    },
    instructions,
    supportedProtocolVersions: [...LEGACY],
    cacheHints: {
      'server/discover': KEEP,
      'tools/list': KEEP,
      'prompts/list': KEEP,
      'resources/list': KEEP,
      'resources/templates/list': KEEP,
    },
  });
  server.setRequestHandler('tools/list', () => ({ tools: tools(caller) as never }));
  server.setRequestHandler('resources/list', () => ({ resources: resources(caller) as never }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: resourceTemplates(caller) as never,
  }));
  extend?.(server, { caller, era });
  return server;
}

/** Names every revision that is spoken here, as the error for one that is not does. */
function supportingAll({ body }: SdkAnswer): void {
  const { result } = body as { result: { supportedVersions: readonly string[] } };
  result.supportedVersions = SUPPORTED;
}

/** The first door has verified the token; the SDK gets who calls, and never the token. */
const infoOf = (caller: Caller): AuthInfo => ({
  token: '',
  clientId: caller.clientId,
  scopes: [...caller.scopes],
  expiresAt: caller.expiresAt,
  extra: { caller },
});

/** Only what the SDK looks at; the URL is never fetched. */
function requestOf({ version, method, name }: ProtocolHeaders): Request {
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  });
  if (version !== undefined) headers.set('mcp-protocol-version', version);
  if (method !== undefined) headers.set('mcp-method', method);
  if (name !== undefined) headers.set('mcp-name', name);
  return new Request('http://gate.invalid/mcp', { method: 'POST', headers });
}

const BY_CODE: Readonly<Record<number, RefusalCode>> = {
  [-32601]: 'method_unknown',
  [-32602]: 'params_invalid',
  [-32600]: 'request_invalid',
};

async function read(response: Response): Promise<SdkAnswer> {
  const text = await response.text();
  if (text === '') return { status: response.status, body: undefined };
  const body = JSON.parse(text) as { error?: { code: number; message: string } };
  if (body.error === undefined) return { status: response.status, body };
  const { code, message } = body.error;
  // The SDK's words may repeat what was sent, so they stay in our log.
  const detail = `SDK: ${message}`.slice(0, 500);
  const issues = issuesIn(message);
  if (issues !== undefined) throw new Refusal('params_invalid', { issues }, { detail });
  throw new Refusal(BY_CODE[code] ?? 'internal', {}, { detail });
}

const zodIssues = z
  .array(z.object({ path: z.tuple([z.literal('params')], z.union([z.string(), z.number()])), message: z.string() }))
  .min(1);

/** The SDK answers parameters that do not fit their schema as an internal error, with zod's issues as JSON for a text. */
function issuesIn(message: string): string[] | undefined {
  const parsed = message.startsWith('[') ? zodIssues.safeParse(jsonOf(message)) : undefined;
  return parsed?.data
    ?.slice(0, 10)
    .map(({ path: [, ...path], message: says }) => `${path.join('.') || 'params'}: ${says}`.slice(0, 200));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
