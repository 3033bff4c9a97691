import * as z from 'zod';
import { DEFAULT_TENANT } from './ids.js';

const tenantName = z.string().regex(/^[a-z0-9-]{1,32}$/);

/**
 * The question that every request asks before it is served. Shape of `POST /v1/decide` too.
 * `tool` is absent for requests that are no tool call; such a request draws on the principal's limits only.
 */
export const limitQuestion = z.strictObject({
  tenant: tenantName.default(DEFAULT_TENANT),
  principal: z.string().min(1).max(200),
  tool: z.string().min(1).max(128).optional(),
  /** the person in whose name the principal asks, as the asker knows it */
  user: z.string().min(1).max(255).optional(),
  /** the actors a delegated token names, in the token's order (RFC 8693 §4.1) */
  chain: z.array(z.string().min(1).max(200)).min(1).max(3).optional(),
  /** where the request came from; one network is to be written in one way */
  address: z.string().min(1).max(64).optional(),
  /** LLM tokens to reserve, integer; absent = the rule's own figure for the tool (0 without a tool) */
  llmTokens: z.int().min(0).max(1_000_000).optional(),
  /** cost to reserve in millionths of the currency, integer; absent = the rule's own figure for the tool (0 without a tool) */
  costMicros: z.int().min(0).max(1_000_000_000).optional(),
  /**
   * `arrival` asks, before anything is read or looked up, whether the principal may send one more request at all, refused
   * ones included; `call` asks whether the request may be served
   */
  stage: z.enum(['arrival', 'call']).default('call'),
  /** share of each limit that counts for this caller, above 0 to 1; agents in Remediation have 0.5 */
  share: z.number().gt(0).max(1).default(1),
});
export type LimitQuestion = z.input<typeof limitQuestion>;

/** Which limit refused. */
export const LIMIT_TYPES = [
  'arrivals',
  'requests',
  'tool_requests',
  'llm_tokens',
  'cost',
  'concurrency',
  'failures',
  'approvals',
] as const;
export type LimitType = (typeof LIMIT_TYPES)[number];

export type LimitVerdict =
  | {
      readonly allowed: true;
      /** names the reservation for settle and release: 128 random bits, base64url; empty for an arrival, which reserves nothing */
      readonly lease: string;
      /** permits left in the tightest request window, integer >= 0 */
      readonly remaining: number;
      /** of that window; absent where no request window was asked */
      readonly limit?: number;
      /** integer milliseconds until that window is empty again if nothing more is asked */
      readonly resetMs?: number;
      /** integer milliseconds: the length of that window */
      readonly windowMs?: number;
      /** id of the rule whose window that is */
      readonly rule?: string;
      /** version of the rule table that decided */
      readonly rulesVersion?: number;
    }
  | {
      readonly allowed: false;
      readonly limitType: LimitType;
      readonly limit: number;
      readonly remaining: number;
      /** integer milliseconds, rounded up, until the same question can be allowed */
      readonly retryAfterMs: number;
      /** integer milliseconds until the window that refused is empty again if nothing more is asked */
      readonly resetMs?: number;
      /** integer milliseconds: the length of that window; of leases that are open at a time, how long one lives */
      readonly windowMs?: number;
      /** id of the rule that refused */
      readonly rule?: string;
      /** version of the rule table that decided */
      readonly rulesVersion?: number;
      /** the question costs more than `limit` itself, so no wait helps; retryAfterMs is then the length of the window */
      readonly impossible?: true;
    };

const ms = z
  .int()
  .min(0)
  .max(31 * 86_400_000);
const amount = z.int().min(0);
const window = {
  resetMs: ms.optional(),
  windowMs: ms.optional(),
  rule: z.string().min(1).max(64).optional(),
  rulesVersion: z.int().min(0).optional(),
};
/** {@link LimitVerdict} as another process answers it. What a newer version adds is left out. */
export const limitVerdict = z.discriminatedUnion('allowed', [
  z.object({
    allowed: z.literal(true),
    lease: z.string().regex(/^([A-Za-z0-9_-]{22})?$/),
    remaining: amount,
    limit: amount.optional(),
    ...window,
  }),
  z.object({
    allowed: z.literal(false),
    limitType: z.enum(LIMIT_TYPES),
    limit: amount,
    remaining: amount,
    retryAfterMs: ms.min(1),
    impossible: z.literal(true).optional(),
    ...window,
  }),
]);

const lease = {
  /** whose lease it is; absent = the caller's own. Another one is for services that act on all tenants */
  tenant: tenantName.optional(),
  lease: z.string().min(1).max(64),
};
/** Body of `POST /v1/release`. */
export const leaseRequest = z.strictObject(lease);
/** Body of `POST /v1/settle`. */
export const settleRequest = z.strictObject({
  ...lease,
  /** LLM tokens really used, integer */
  llmTokens: z.int().min(0).max(10_000_000),
  /** what it really cost in millionths of the currency, integer; absent = as it was reserved */
  costMicros: z.int().min(0).max(10_000_000_000).optional(),
});
