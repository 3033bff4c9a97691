import { wwwAuthenticate } from '@portcullis/guard/challenge';
import { retryHeader } from '@portcullis/guard/headers';
import { factsInBody, Refusal, REFUSALS, type RefusalCode } from '@portcullis/contract/refusals';
import * as z from 'zod';

/** A "no" of a JSON API that is no row of the refusal table, such as a name that is taken. Its words reach the caller. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  /**
   * @param status HTTP status, 400..499
   * @param error  a word for programs, such as `conflict`
   * @param facts  `retryAfterMs`: integer milliseconds until trying again can help
   */
  constructor(
    readonly status: number,
    readonly error: string,
    description: string,
    readonly facts: { readonly retryAfterMs?: number } = {},
  ) {
    super(description);
  }
}

/** The answer that a thrown value amounts to at a JSON API. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: string;
    readonly error_description: string;
    readonly correlation_id: string;
  } & Record<string, unknown>;
}

export interface ProblemContext {
  readonly correlationId: string;
  /** named in challenges (RFC 9728 §5.1) */
  readonly resourceMetadata?: string | undefined;
  /** by which scheme the caller's token came, when the refusal itself does not say */
  readonly scheme?: 'DPoP' | undefined;
}

/** Refusals that are tool results at /mcp (HTTP 200) have a status of their own at JSON APIs. */
const API_STATUS: Partial<Record<RefusalCode, number>> = {
  input_invalid: 400,
  tool_unknown: 404,
  resource_unknown: 404,
  row_forbidden: 404,
  chain_forbidden: 403,
  approval_needed: 403,
  tool_drifted: 403,
  tool_failed: 500,
};

/** What Express, its body parser and Nest throw. Their own words are not passed on: they repeat the request. */
const BY_TYPE: Readonly<Record<string, RefusalCode>> = {
  'entity.too.large': 'body_too_large',
  'parameters.too.many': 'body_too_large',
  'entity.parse.failed': 'json_malformed',
  'entity.verify.failed': 'json_malformed',
  'request.aborted': 'json_malformed',
  'request.size.invalid': 'json_malformed',
  'encoding.unsupported': 'media_type_unsupported',
  'charset.unsupported': 'media_type_unsupported',
};
const BY_STATUS: Readonly<Record<number, readonly [error: string, says: string]>> = {
  400: ['request_invalid', 'The request is not one this API understands.'],
  401: ['token_invalid', REFUSALS.token_invalid.says],
  403: ['forbidden', 'This is not allowed.'],
  404: ['not_found', 'There is no such thing here.'],
  405: ['method_not_allowed', 'This path does not take that method.'],
  406: ['not_acceptable', 'This API answers application/json only.'],
  409: ['conflict', 'This does not fit the present state.'],
  413: ['body_too_large', REFUSALS.body_too_large.says],
  414: ['uri_too_long', 'The request target is too long.'],
  415: ['media_type_unsupported', REFUSALS.media_type_unsupported.says],
  422: ['request_invalid', 'The request is not one this API understands.'],
  429: ['rate_limited', REFUSALS.rate_limited.says],
  503: ['overloaded', REFUSALS.overloaded.says],
};

/** Says what the caller gets to know of a thrown value: never a stack, a message of a library, or HTML. */
export function problemOf(thrown: unknown, context: ProblemContext): ProblemAnswer {
  if (thrown instanceof Refusal) return refusalAnswer(thrown, context);
  if (thrown instanceof ApiProblem)
    return answer(
      thrown.status,
      thrown.error,
      thrown.message,
      context,
      retryHeader(thrown.facts.retryAfterMs),
      thrown.facts,
    );
  if (thrown instanceof z.ZodError)
    return refusalAnswer(new Refusal('input_invalid', { issues: issuesOf(thrown) }), context, REQUEST_INVALID);
  const { type, status } = facts(thrown);
  const code = type === undefined ? undefined : BY_TYPE[type];
  if (code !== undefined) return refusalAnswer(new Refusal(code), context);
  const row = status === undefined ? undefined : BY_STATUS[status];
  if (row !== undefined) return answer(status!, row[0], row[1], context);
  if (status !== undefined && status >= 400 && status < 500) return answer(status, ...BY_STATUS[400]!, context);
  return refusalAnswer(new Refusal('internal'), context);
}

/** `path: why`, never the value itself; at most ten. */
export const issuesOf = (error: z.core.$ZodError): string[] =>
  error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.map(String).join('.') || 'body'}: ${issue.message}`.slice(0, 200));

/** What callers are told to wait when nothing better is known. */
const RETRY_AFTER_MS = 1000;

const REQUEST_INVALID = 'The request does not match what this API accepts.';

function refusalAnswer(
  refusal: Refusal,
  context: ProblemContext,
  says: string = REFUSALS[refusal.code].says,
): ProblemAnswer {
  const status = API_STATUS[refusal.code] ?? REFUSALS[refusal.code].http;
  // what is our own fault may be over soon
  const { hint, retryAfterMs = status >= 500 ? RETRY_AFTER_MS : undefined, dpopNonce } = refusal.facts;
  const challenge = wwwAuthenticate(refusal, context);
  return answer(
    status,
    refusal.code,
    hint === undefined ? says : `${says} ${hint}`,
    context,
    {
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
      ...(dpopNonce !== undefined && { 'DPoP-Nonce': dpopNonce }),
      ...retryHeader(retryAfterMs),
    },
    factsInBody(refusal),
  );
}

const answer = (
  status: number,
  error: string,
  description: string,
  { correlationId }: ProblemContext,
  headers: Readonly<Record<string, string>> = {},
  more: object = {},
): ProblemAnswer => ({
  status,
  headers,
  body: { error, error_description: description, correlation_id: correlationId, ...more },
});

function facts(thrown: unknown): { type?: string | undefined; status?: number | undefined } {
  if (typeof thrown !== 'object' || thrown === null) return {};
  const { type, status, getStatus } = thrown as { type?: unknown; status?: unknown; getStatus?: unknown };
  const said = typeof getStatus === 'function' ? (getStatus as () => unknown).call(thrown) : status;
  // `new URL` style and path decoding errors are the caller's
  const number = typeof said === 'number' ? said : (thrown as { name?: unknown }).name === 'URIError' ? 400 : undefined;
  return { type: typeof type === 'string' ? type : undefined, status: number };
}
