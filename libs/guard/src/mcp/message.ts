import { classifyInboundRequest, type InboundLadderRejection } from '@modelcontextprotocol/server';
import { Refusal, type RefusalCode } from '@portcullis/contract/refusals';
import { printable } from '@portcullis/validators/text';
import { ENVELOPE, isObject, membersOf } from './envelope.js';
import { mcpNameAgrees, nameOf, withoutBlanks } from './mcp-name.js';
import { isPlainRequest } from './plain-request.js';
import { isRevision, REVISIONS, SUPPORTED, UNSAID, type Era, type Revision } from './protocol.js';

/** The headers that MCP 2026-07-28 mirrors from the body, as they came. */
export interface ProtocolHeaders {
  readonly version: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

/** One JSON-RPC request or notification, and the revision of MCP it speaks. */
export interface Message {
  readonly era: Era;
  readonly revision: Revision;
  /** undefined for a notification */
  readonly id: string | number | undefined;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** the whole, as it was parsed */
  readonly body: object;
}

/** The id to answer with: the request's own when it has one that can be read, else null (JSON-RPC 2.0 §5). */
export function answerId(body: unknown): string | number | null {
  const { id, method } = membersOf(body);
  return typeof method === 'string' && (typeof id === 'string' || typeof id === 'number') ? id : null;
}

/** The era whose rules an error is answered by, as far as one can tell from the outside. */
export const eraOf = (body: unknown, headers: ProtocolHeaders): Era =>
  claimOf(body) !== undefined || REVISIONS[headers.version as Revision] === 'modern' ? 'modern' : 'legacy';

/**
 * Reads a parsed body as one message. The body decides which revision is spoken; headers have to agree with it.
 * The SDK's own classification is asked, so that both give the same answers; what it leaves to its handler (headers that
 * must be there, revisions it does not know) is decided here.
 * @throws Refusal batch_unsupported, request_invalid, header_mismatch, params_invalid, version_unsupported
 * @see MCP 2026-07-28 basic/transports/streamable-http, basic/versioning
 */
export function messageOf(body: unknown, headers: ProtocolHeaders): Message {
  if (isPlainRequest(body, headers)) return withHeaders(spoken(body as object, headers.version as Revision), headers);
  if (Array.isArray(body)) throw new Refusal('batch_unsupported');
  const route = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(headers.version !== undefined && { protocolVersionHeader: headers.version }),
    ...(headers.method !== undefined && { mcpMethodHeader: headers.method }),
    ...(headers.name !== undefined && { mcpNameHeader: headers.name }),
  });
  if (route.kind === 'legacy') {
    // We ask clients nothing, so no response of theirs can belong here.
    if (route.reason === 'response' || !isObject(body)) throw new Refusal('request_invalid');
    return withAgreeing(spoken(body, known(headers.version ?? UNSAID)), headers);
  }
  if (route.kind === 'reject') throw rejected(route, headers);
  const revision = known(route.classification.revision);
  if (REVISIONS[revision] !== 'modern') throw unsupported(revision);
  const message = spoken(route.message, revision);
  return message.id === undefined ? withAgreeing(message, headers) : withHeaders(message, headers);
}

function spoken(body: object, revision: Revision): Message {
  const { id, method, params } = body as { id?: unknown; method?: unknown; params?: unknown };
  if (typeof method !== 'string') throw new Refusal('request_invalid');
  return {
    era: REVISIONS[revision],
    revision,
    id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
    method,
    params: membersOf(params),
    body,
  };
}

/** MCP 2026-07-28 basic/transports/streamable-http: what every request must carry besides its body. */
function withHeaders(message: Message, headers: ProtocolHeaders): Message {
  const { method, params } = message;
  if (headers.version === undefined) throw mismatch('MCP-Protocol-Version is missing');
  if (headers.method === undefined) throw mismatch('Mcp-Method is missing');
  if (!mcpNameAgrees(nameOf(method, params), headers.name)) {
    throw mismatch(headers.name === undefined ? 'Mcp-Name is missing' : 'Mcp-Name does not say what the body says');
  }
  return message;
}

/**
 * What need not be there, and has to be true where it is: whoever sits before us may go by it.
 * A method that has nothing to mirror may come with any Mcp-Name.
 */
function withAgreeing(message: Message, headers: ProtocolHeaders): Message {
  const { method, params } = message;
  if (headers.method !== undefined && withoutBlanks(headers.method) !== method) {
    throw mismatch('Mcp-Method does not say what the body says');
  }
  if (headers.name !== undefined && !mcpNameAgrees(nameOf(method, params), headers.name)) {
    throw mismatch('Mcp-Name does not say what the body says');
  }
  return message;
}

const BY_CODE: Readonly<Record<number, RefusalCode>> = {
  [-32020]: 'header_mismatch',
  [-32022]: 'version_unsupported',
  [-32602]: 'params_invalid',
};

function rejected({ code, cell, data }: InboundLadderRejection, headers: ProtocolHeaders): Refusal {
  // A header alone that names a revision we do not know is that, and not a request that forgot its _meta.
  if (cell === 'modern-header-without-claim' && !isRevision(headers.version)) return unsupported(headers.version);
  const refusal = BY_CODE[code] ?? 'request_invalid';
  return new Refusal(refusal, refusal === 'params_invalid' ? { issues: envelopeIssues(data) } : {}, { detail: cell });
}

/** Names the fields of `_meta` that are missing or wrong; never a value. */
function envelopeIssues(data: unknown): string[] {
  const { key, missing } = membersOf(membersOf(data)['envelope']);
  if (Array.isArray(missing)) return missing.map((name) => `_meta: ${String(name)} is missing`);
  return [`_meta: ${printable(key) ?? 'the envelope'} is missing or wrong`];
}

const known = (revision: string | undefined): Revision => {
  if (!isRevision(revision)) throw unsupported(revision);
  return revision;
};

const unsupported = (requested: string | undefined): Refusal => {
  const named = printable(requested, 32);
  return new Refusal('version_unsupported', { supported: SUPPORTED, ...(named !== undefined && { requested: named }) });
};
const mismatch = (detail: string): Refusal => new Refusal('header_mismatch', { hint: `${detail}.` }, { detail });

function claimOf(body: unknown): unknown {
  return membersOf(membersOf(membersOf(body)['params'])['_meta'])[ENVELOPE.version];
}
