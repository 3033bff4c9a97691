import type { Answer } from './answer.js';

/** What pages of allowed origins may send with a request, besides `Mcp-Param-*`. */
const HEADERS = [
  'authorization',
  'dpop',
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'x-request-id',
  'x-tool-call-id',
  'traceparent',
];
/** What they may read of an answer, besides its body. */
const EXPOSED = 'WWW-Authenticate, DPoP-Nonce, Retry-After, RateLimit, RateLimit-Policy, X-Correlation-Id';

/** MCP 2026-07-28, basic/transports/streamable-http: arguments that a client mirrors into headers; RFC 9110 §5.6.2: token */
const PARAMETER = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/;
const MAX_ASKED = 2048;
const MAX_PARAMETERS = 32;

/**
 * The answer to a preflight (Fetch standard, CORS protocol), which browsers send without credentials: so it stands before
 * every token. `Authorization` is never meant by a wildcard and `Mcp-Param-*` is no pattern that browsers know, so the
 * names of the latter are given back as they were asked for, where they are such names.
 * @param asked Access-Control-Request-Headers as it came
 */
export function preflightAnswer(asked: string | undefined): Answer {
  const parameters =
    asked === undefined || asked.length > MAX_ASKED
      ? []
      : asked
          .split(',')
          .map((name) => name.trim().toLowerCase())
          .filter((name) => PARAMETER.test(name))
          .slice(0, MAX_PARAMETERS);
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': [...HEADERS, ...new Set(parameters)].join(', '),
      'Access-Control-Max-Age': '600',
    },
    body: undefined,
  };
}

/** What lets a page of an allowed origin read an answer, refusals included. */
export const corsHeaders = (origin: string): Readonly<Record<string, string>> => ({
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Expose-Headers': EXPOSED,
  Vary: 'Origin',
});
