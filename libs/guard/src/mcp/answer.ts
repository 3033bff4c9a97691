import { factsInBody, Refusal, REFUSALS, type RefusalCode } from '@portcullis/contract/refusals';
import { wwwAuthenticate } from '../challenge.js';
import { retryHeader } from '../headers.js';
import type { Label } from '../history.js';
import type { Slot } from '../slots.js';
import type { AnyTool } from '../tool.js';
import { ENVELOPE } from './envelope.js';
import type { Message } from './message.js';
import type { Outlet } from './outlet.js';
import type { Era, ServerInfo } from './protocol.js';

/** What leaves for the caller. Without a body and a stream it is status and headers. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** whoever writes a large answer gives the call's slot back when it was taken */
  readonly slot?: Slot;
  /** an event stream that stays open, in place of a body; exactly one of the two is called */
  readonly stream?: { opened(outlet: Outlet): void; dropped(): void };
}

/** The request an answer belongs to, as far as it is known. */
export interface AnswerTo {
  readonly id: string | number | null;
  readonly era: Era;
  readonly correlationId: string;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const json = (status: number, value: unknown, headers?: Readonly<Record<string, string>>): Answer => ({
  status,
  headers: headers === undefined ? JSON_TYPE : { ...JSON_TYPE, ...headers },
  body: JSON.stringify(value),
});

/**
 * The answer of a tool whose output is the structured content of its result, in all revisions: one JSON-RPC response. Nearly
 * all answers are this one, so what is the same in each, and the output that was just serialized, is not serialized again.
 */
export function toolAnswer({ id, era }: Message, output: unknown, server: ServerInfo, labels?: Labels): Answer {
  const text = JSON.stringify(output);
  const content = `[{"type":"text","text":${JSON.stringify(text)}}]`;
  const more = labels === undefined ? unlabelled(era, server) : membersOfResult(era, server, labels);
  const result = `{"content":${content}${more},"structuredContent":${text}}`;
  return {
    status: 200,
    headers: JSON_TYPE,
    body: `{"jsonrpc":"2.0","id":${JSON.stringify(id ?? null)},"result":${result}}`,
  };
}

/** What a result has besides its content, as JSON: each member behind a comma. */
function membersOfResult(era: Era, server: ServerInfo, labels: Labels): string {
  const members = JSON.stringify(stamped(withLabels({}, labels), era, server)).slice(1, -1);
  return members === '' ? '' : `,${members}`;
}

const UNLABELLED = new WeakMap<ServerInfo, { readonly [era in Era]: string }>();
function unlabelled(era: Era, server: ServerInfo): string {
  let known = UNLABELLED.get(server);
  if (known === undefined) {
    const members = (of: Era): string => membersOfResult(of, server, undefined);
    UNLABELLED.set(server, (known = { modern: members('modern'), legacy: members('legacy') }));
  }
  return known[era];
}

/** The answer of a tool that makes its whole result by itself (mcp/tool-result.ts). */
export function wholeAnswer(message: Message, output: unknown, server: ServerInfo, labels?: Labels): Answer {
  const whole = output as Readonly<Record<string, unknown>>;
  return result(message, server, withLabels(whole, labels));
}

/** A refusal of the second door: a result that a model can read and act upon. */
export function toolRefusalAnswer(
  message: Message,
  refusal: Refusal,
  correlationId: string,
  server: ServerInfo,
): Answer {
  return result(message, server, {
    content: [textBlock(refusalText(refusal))],
    isError: true,
    _meta: { 'portcullis/refusal': refusalData(refusal, correlationId) },
  });
}

export function resourceAnswer(
  message: Message,
  { uri, tool }: { readonly uri: string; readonly tool: Pick<AnyTool, 'answers'> },
  output: unknown,
  server: ServerInfo,
  labels?: Labels,
): Answer {
  const contents =
    tool.answers === 'result'
      ? (output as { contents: unknown }).contents
      : [{ uri, mimeType: 'application/json', text: JSON.stringify(output) }];
  // What was read is the caller's alone and may change at any time (MCP 2026-07-28, server/utilities/caching).
  const value = { contents, ...(message.era === 'modern' && { ttlMs: 0, cacheScope: 'private' }) };
  return result(message, server, withLabels(value, labels));
}

/** What was found in the call's arguments or output, which its client and its person should know too. */
type Labels = readonly Label[] | undefined;
const withLabels = (value: Readonly<Record<string, unknown>>, labels: Labels): Readonly<Record<string, unknown>> =>
  labels === undefined
    ? value
    : { ...value, _meta: { ...(value['_meta'] as object | undefined), 'portcullis/labels': labels } };

/** What the SDK answered to another method. */
export const otherAnswer = (status: number, body: unknown): Answer =>
  body === undefined ? { status, headers: {}, body: undefined } : json(status, body);

/** Requests of older revisions get these in the body of a 200, as their clients read errors there and nowhere else. */
const IN_BAND_BEFORE_2026: ReadonlySet<RefusalCode> = new Set([
  'method_unknown',
  'params_invalid',
  'capability_missing',
]);
/** JSON-RPC codes of refusals that are tool results elsewhere, for `resources/read`, which has no such result. */
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

/** What callers are told to wait when nothing better is known. */
const RETRY_AFTER_MS = 1000;

/** A refusal as HTTP status and JSON-RPC error, with its challenge. */
export function refusalAnswer(
  refusal: Refusal,
  { id, era, correlationId }: AnswerTo,
  challenge: { readonly resourceMetadata: string; readonly scopes: readonly string[]; readonly scheme?: 'DPoP' },
  random?: () => number,
): Answer {
  const { http } = REFUSALS[refusal.code];
  // what is our own fault may be over soon
  const { dpopNonce, retryAfterMs = http >= 500 ? RETRY_AFTER_MS : undefined } = refusal.facts;
  const wait = retryAfterMs === undefined ? undefined : spread(retryAfterMs, random);
  const says = wwwAuthenticate(refusal, {
    resourceMetadata: challenge.resourceMetadata,
    scheme: challenge.scheme,
    // RFC 6750 §3.1: which scopes to ask for; a refused operation names its own
    ...(http === 401 && { scopes: challenge.scopes }),
  });
  return json(
    era === 'legacy' && IN_BAND_BEFORE_2026.has(refusal.code) ? 200 : http,
    refusalError(refusal, { id, correlationId }, refusal.facts.retryAfterMs === undefined ? undefined : wait?.ms),
    {
      ...(says !== undefined && { 'WWW-Authenticate': says }),
      ...(dpopNonce !== undefined && { 'DPoP-Nonce': dpopNonce }),
      ...retryHeader(wait && wait.seconds * 1000),
      ...(http === 405 && { Allow: 'POST' }),
    },
  );
}

/** Those who are sent away at one time do not all come back at one time: up to a tenth later, and never earlier. */
const SPREAD = 0.1;
function spread(ms: number, random: () => number = () => 0): { readonly ms: number; readonly seconds: number } {
  const later = Math.ceil(ms * (1 + SPREAD * random()));
  // a second of which nothing is left to spread is not made two
  return { ms: later, seconds: Math.max(Math.ceil(ms / 1000), Math.floor(later / 1000)) };
}

/** A refusal as the JSON-RPC error response that it is in the body of an answer. @param retryAfterMs in place of the known one */
export function refusalError(
  refusal: Refusal,
  { id, correlationId }: Pick<AnswerTo, 'id' | 'correlationId'>,
  retryAfterMs?: number,
): object {
  const { rpc } = REFUSALS[refusal.code];
  const { hint } = refusal.facts;
  return {
    jsonrpc: '2.0',
    id,
    error: {
      code: rpc ?? (refusal.code === 'tool_failed' ? INTERNAL_ERROR : INVALID_PARAMS),
      message: hint === undefined ? refusal.message : `${refusal.message} ${hint}`,
      data: { ...refusalData(refusal, correlationId), ...(retryAfterMs !== undefined && { retryAfterMs }) },
    },
  };
}

/** What programs read of a refusal: code, correlation id, and the facts of it. */
function refusalData(refusal: Refusal, correlationId: string): object {
  return { code: refusal.code, correlationId, ...factsInBody(refusal) };
}

/** What a model reads of a refusal. */
function refusalText({ code, message, facts }: Refusal): string {
  const { hint, issues = [] } = facts;
  return [`${code}: ${message}`, ...(hint === undefined ? [] : [hint]), ...issues].join('\n');
}

const textBlock = (text: string) => ({ type: 'text', text });

function result({ id, era }: Message, server: ServerInfo, value: Readonly<Record<string, unknown>>): Answer {
  return json(200, { jsonrpc: '2.0', id, result: stamped(value, era, server) });
}

/** 2026-07-28 wants the kind of every result said, and the server's name with it (basic/index). */
const stamped = (value: Readonly<Record<string, unknown>>, era: Era, server: ServerInfo) =>
  era === 'legacy'
    ? value
    : {
        ...value,
        resultType: value['resultType'] ?? 'complete',
        _meta: { ...(value['_meta'] as object | undefined), [ENVELOPE.server]: server },
      };
