/**
 * Every reason the house says no. Status, code and words live here and nowhere else.
 *
 * `http`  status of the answer; 200 where the refusal is a JSON-RPC error or a tool result that a model reads
 * `rpc`   JSON-RPC error code; null where the refusal is a tool result (`isError: true`)
 * `oauth` `error` of the WWW-Authenticate challenge (RFC 6750 §3.1, RFC 9470 §3); null = no challenge, so that clients
 *         do not loop through a login that cannot help. An empty string is a challenge without `error` (RFC 6750 §3: a
 *         request that carried no credentials gets no error code).
 * `says`  what the caller reads
 */
export const REFUSALS = {
  token_missing: { http: 401, rpc: 40100, oauth: '', says: 'This server needs an access token.' },
  token_invalid: {
    http: 401,
    rpc: 40100,
    oauth: 'invalid_token',
    says: 'The access token is malformed, expired, revoked or not meant for this server.',
  },
  dpop_invalid: {
    http: 401,
    rpc: 40101,
    oauth: 'invalid_token',
    says: 'The token is bound to a key, and this request does not prove that key: it needs a fresh DPoP proof of its own.',
  },
  login_too_old: {
    http: 401,
    rpc: 40102,
    oauth: 'insufficient_user_authentication',
    says: 'This operation needs a person who signed in a short while ago.',
  },
  scope_insufficient: {
    http: 403,
    rpc: 40300,
    oauth: 'insufficient_scope',
    says: 'The access token lacks a scope that this operation needs.',
  },
  quarantined: { http: 403, rpc: 40301, oauth: null, says: 'This agent is contained. A person has to release it.' },
  origin_forbidden: {
    http: 403,
    rpc: 40302,
    oauth: null,
    says: 'The Host or Origin header is not one this server serves.',
  },
  rate_limited: { http: 429, rpc: 42900, oauth: null, says: 'Too many calls. Try again after the stated delay.' },
  overloaded: { http: 503, rpc: 50300, oauth: null, says: 'The server cannot take this call now. Try again later.' },
  body_too_large: { http: 413, rpc: 41300, oauth: null, says: 'The request body is too large.' },
  batch_unsupported: {
    http: 400,
    rpc: 40001,
    oauth: null,
    says: 'JSON-RPC batches are not supported. Send one request at a time.',
  },
  media_type_unsupported: { http: 415, rpc: 41500, oauth: null, says: 'The request body must be application/json.' },
  http_method_unsupported: { http: 405, rpc: 40500, oauth: null, says: 'This endpoint takes POST only.' },
  /** JSON-RPC 2.0 §5.1 */
  json_malformed: { http: 400, rpc: -32700, oauth: null, says: 'The request body is not JSON this server accepts.' },
  request_invalid: { http: 400, rpc: -32600, oauth: null, says: 'The request body is not a JSON-RPC 2.0 request.' },
  /** MCP 2026-07-28, basic/index and basic/transports/streamable-http */
  header_mismatch: {
    http: 400,
    rpc: -32020,
    oauth: null,
    says: 'An Mcp-* header is missing or does not say what the body says.',
  },
  version_unsupported: {
    http: 400,
    rpc: -32022,
    oauth: null,
    says: 'This server does not speak that revision of MCP.',
  },
  capability_missing: {
    http: 400,
    rpc: -32021,
    oauth: null,
    says: 'This request needs something that the client did not say it can do.',
  },
  method_unknown: { http: 404, rpc: -32601, oauth: null, says: 'There is no such method.' },
  params_invalid: { http: 400, rpc: -32602, oauth: null, says: 'The parameters of this request are not valid.' },
  tool_unknown: { http: 200, rpc: -32602, oauth: null, says: 'There is no such tool.' },
  resource_unknown: { http: 200, rpc: -32602, oauth: null, says: 'There is no such resource.' },
  internal: {
    http: 500,
    rpc: -32603,
    oauth: null,
    says: 'Something went wrong on our side. The correlation id finds it in our log.',
  },
  input_invalid: { http: 200, rpc: null, oauth: null, says: 'The arguments do not match what this tool accepts.' },
  row_forbidden: { http: 200, rpc: null, oauth: null, says: 'There is no such record, or this caller may not see it.' },
  /** a chain rule, or a label that the task carries (libs/guard/src/chain.table.ts) */
  chain_forbidden: {
    http: 200,
    rpc: null,
    oauth: null,
    says: 'This call may not follow what was done or read before it in the same task or the last hour.',
  },
  approval_needed: {
    http: 200,
    rpc: null,
    oauth: null,
    says: 'This call needs the approval of a person.',
  },
  tool_drifted: {
    http: 200,
    rpc: null,
    oauth: null,
    says: 'The definition of this tool is not the one that was approved.',
  },
  /** nobody reads this answer; the status is for our records */
  cancelled: { http: 499, rpc: null, oauth: null, says: 'The client went away before the call was done.' },
  tool_failed: {
    http: 200,
    rpc: null,
    oauth: null,
    says: 'The tool failed. Nothing about the reason is shown here; the correlation id finds it in our log.',
  },
} as const satisfies Record<string, RefusalRow>;

interface RefusalRow {
  readonly http: number;
  readonly rpc: number | null;
  readonly oauth: string | null;
  readonly says: string;
}
export type RefusalCode = keyof typeof REFUSALS;

/** What a caller may know about a refusal. Everything here leaves the house. */
export interface RefusalFacts {
  /** all scopes the operation needs, not only the missing ones (MCP 2026-07-28, authorization) */
  readonly scopes?: readonly string[];
  /** integer milliseconds until trying again can help */
  readonly retryAfterMs?: number;
  /** which limit refused, one of LIMIT_TYPES */
  readonly limitType?: string;
  /** permits left in that limit, integer >= 0 */
  readonly remaining?: number;
  /** seconds; how fresh a login must be (RFC 9470 §3) */
  readonly maxAge?: number;
  /** names of the arguments that are wrong and why, in words a model can act on; never a value */
  readonly issues?: readonly string[];
  /** protocol revisions this server speaks */
  readonly supported?: readonly string[];
  /** the revision the request named, printable (MCP 2026-07-28, UnsupportedProtocolVersionError) */
  readonly requested?: string;
  /** what the client has to say that it can do (MCP 2026-07-28, MissingRequiredClientCapabilityError) */
  readonly requiredCapabilities?: Readonly<Record<string, object>>;
  /** the URI of a resource that there is none of, as the request said it */
  readonly uri?: string;
  /** where a person approves the call */
  readonly approvalUrl?: string;
  /** what `_meta['portcullis/approval']` says when the call is repeated */
  readonly approval?: string;
  /** one more sentence for the caller */
  readonly hint?: string;
  /** how the token came, where not as Bearer: the challenge answers in the same scheme (RFC 9449 §7.1) */
  readonly scheme?: 'DPoP';
  /** what is wrong with the proof, where it is not the token (RFC 9449 §7.1, §9); said in the challenge */
  readonly dpopError?: 'invalid_dpop_proof' | 'use_dpop_nonce';
  /** what the next proof must carry; leaves as the header DPoP-Nonce (RFC 9449 §8.2) */
  readonly dpopNonce?: string;
}

/** An expected "no". Anything else that is thrown is a bug of ours and leaves as a bare `internal`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** for our log only; may name rules, patterns and identifiers */
  readonly detail: string | undefined;

  constructor(
    readonly code: RefusalCode,
    readonly facts: RefusalFacts = {},
    options: { detail?: string; cause?: unknown } = {},
  ) {
    super(REFUSALS[code].says, { cause: options.cause });
    this.detail = options.detail;
  }
}

/** The refusal that an arbitrary thrown value amounts to: itself, or `internal`. */
export const refusalOf = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal('internal', {}, { cause: error });

/** The facts that stand in the body of an answer: not those that its words or its headers say. */
export function factsInBody({ facts }: Refusal): Omit<RefusalFacts, 'hint' | 'scheme' | 'dpopError' | 'dpopNonce'> {
  const { hint: _hint, scheme: _scheme, dpopError: _error, dpopNonce: _nonce, ...rest } = facts;
  return rest;
}
