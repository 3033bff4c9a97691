import { leaseRequest, limitVerdict, settleRequest } from '@portcullis/contract/limits';
import { ruleTable } from '@portcullis/limits/rule-table';
import * as z from 'zod';
import { MAX_BODY } from './bounds.js';
import { decideRequest } from './question.js';

type Schema = Record<string, unknown>;

/** What the fields are, by name: of questions, verdicts and settlements. Adding one is adding a row. */
const FIELDS: Readonly<Record<string, string>> = {
  tenant: "the tenant that is asked about; absent = the caller's own. Another one is for services of all tenants",
  principal: 'who asks: the opaque id of an agent',
  tool: 'the tool that is called; absent for what is no tool call',
  user: 'the person in whose name the principal asks',
  chain: 'the actors that a delegated token names, in its order (RFC 8693 section 4.1)',
  address: 'where the request came from',
  llmTokens: 'LLM tokens: reserved, by the rule of the tool unless given; or really used',
  costMicros: 'cost in millionths of the currency: reserved, by the rule of the tool unless given; or really used',
  stage: 'arrival: may one more request be sent at all, whatever becomes of it; call: may it be served',
  share: 'share of each limit that counts for this principal',
  allowed: 'false = refuse the request',
  lease: 'names the reservation, for settle and release within two minutes; empty for an arrival',
  remaining: 'permits left in the window that is named here, before the next request',
  limit: 'of that window',
  resetMs: 'milliseconds until that window is empty if nothing more is asked',
  windowMs: 'the length of that window in milliseconds',
  rule: 'id of the rule that decided',
  rulesVersion: 'version of the table of rules that decided',
  limitType: 'what the rule that refused counts',
  retryAfterMs: 'milliseconds until the same question can be allowed',
  impossible: 'it costs more than the limit itself, so that no wait helps',
  settled: "false = this caller has no such lease: unknown, another's, expired, or ended before",
  released: "false = this caller has no such lease: unknown, another's, expired, or ended before",
};

/** OpenAPI 3.1 takes JSON Schema as it is (2020-12). */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _dialect, ...own } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' }) as Schema;
  return described(own);
}

function described(schema: Schema): Schema {
  const { properties, oneOf, anyOf } = schema as {
    properties?: Record<string, Schema>;
    oneOf?: Schema[];
    anyOf?: Schema[];
  };
  const named = ([name, of]: [string, Schema]): [string, Schema] => [
    name,
    Object.hasOwn(FIELDS, name) ? { ...of, description: FIELDS[name] } : of,
  ];
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(named)) }),
    ...(oneOf && { oneOf: oneOf.map(described) }),
    ...(anyOf && { anyOf: anyOf.map(described) }),
  };
}

const problem = z.object({
  error: z.string().describe('a word for programs'),
  error_description: z.string().describe('a sentence for people'),
  correlation_id: z.string().describe('what the log of the service calls this request'),
  issues: z.array(z.string()).optional().describe('what is wrong with the body, by path; at most ten'),
  scopes: z.array(z.string()).optional().describe('those that are needed'),
  retryAfterMs: z.int().min(0).optional(),
  limitType: z.string().optional(),
});

const SCHEMAS: Readonly<Record<string, Schema>> = {
  Question: schemaOf(decideRequest, 'input'),
  Verdict: schemaOf(limitVerdict, 'output'),
  Settlement: schemaOf(settleRequest, 'input'),
  Settled: schemaOf(z.object({ settled: z.boolean() }), 'output'),
  Release: schemaOf(leaseRequest, 'input'),
  Released: schemaOf(z.object({ released: z.boolean() }), 'output'),
  Rules: schemaOf(ruleTable.safeExtend({ leaseMs: z.int().describe('how long a lease can be settled, ms') }), 'output'),
  Problem: schemaOf(problem.loose(), 'output'),
};

const json = (name: string) => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });

/** Answers that are not 200, by status, with the words that programs read in them. */
const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'input_invalid, json_malformed, invalid_request',
  401: 'token_missing, token_invalid, dpop_invalid',
  403: 'scope_insufficient, tenant_forbidden, certificate_unknown, quarantined, https_required, origin_forbidden',
  408: 'request_timeout: the body did not arrive in time',
  413: `body_too_large: more than ${MAX_BODY} bytes`,
  415: 'media_type_unsupported: not application/json in UTF-8, or compressed',
  429: 'rate_limited: too many bad credentials from this address',
  503: 'overloaded: no decision can be had now. Refuse the request',
};
const problems = (statuses: readonly number[]) =>
  Object.fromEntries(statuses.map((status) => [status, { description: PROBLEMS[status], content: json('Problem') }]));
const ALWAYS = [401, 403, 429, 503];
const WITH_BODY = [400, 401, 403, 408, 413, 415, 429, 503];

const post = (operationId: string, summary: string, body: string, answer: string, headers?: Schema) => ({
  post: {
    ...{ operationId, summary, security: SECURITY },
    requestBody: { required: true, content: json(body) },
    responses: {
      200: { description: 'the answer', ...(headers && { headers }), content: json(answer) },
      ...problems(WITH_BODY),
    },
  },
});

const SECURITY = [{ token: ['limits:decide'] }, { certificate: [] }];
const HEADERS = {
  RateLimit: {
    description:
      'what is left of the limit that decided (draft-ietf-httpapi-ratelimit-headers); absent where no rule counts requests',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': { description: 'that limit', schema: { type: 'string' } },
};

/** The API as OpenAPI 3.1, made of the schemas that requests are read by. */
export const openApi = () => ({
  openapi: '3.1.1',
  info: {
    title: 'Portcullis rate limiter',
    version: '1',
    description:
      'Decides for gateways and other services whether a request may be served. A refusal is an answer, hence 200.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  paths: {
    '/v1/decide': post(
      'decide',
      'Asks whether a request may be served, and reserves what it may use',
      'Question',
      'Verdict',
      HEADERS,
    ),
    '/v1/settle': post(
      'settle',
      'Corrects a reservation to what was really used, and ends it',
      'Settlement',
      'Settled',
    ),
    '/v1/release': post('release', 'Gives a reservation back; the request itself stays counted', 'Release', 'Released'),
    '/v1/rules': {
      get: {
        ...{ operationId: 'rules', summary: 'The table of rules in force', security: SECURITY },
        responses: { 200: { description: 'the table', content: json('Rules') }, ...problems(ALWAYS) },
      },
    },
  },
  components: {
    schemas: SCHEMAS,
    securitySchemes: {
      token: {
        ...{ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        description:
          'an access token of the authorization server for this API (audience RATE_LIMITER_URL/v1) with limits:decide',
      },
      certificate: { type: 'mutualTLS', description: 'a client certificate that CLIENT_CERTIFICATES names' },
    },
  },
});
