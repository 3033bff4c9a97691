import { REFUSALS, type RefusalCode } from '@portcullis/contract/refusals';
import { BEHAVIOUR_STATES } from '@portcullis/contract/standing';
import * as z from 'zod';

const refusalCode = z.enum(Object.keys(REFUSALS) as [RefusalCode, ...RefusalCode[]]);
const who = {
  clientId: z.string().max(255).optional(),
  sub: z.string().max(255).optional(),
};

/** One request to /mcp, of whatever method, whatever became of it. */
export const callData = z.object({
  ...who,
  /** our UUIDv7, answered in X-Correlation-Id */
  correlationId: z.uuid(),
  /** JSON-RPC method; absent when the request was refused before it was known */
  method: z.string().max(128).optional(),
  tool: z.string().max(128).optional(),
  resource: z.string().max(256).optional(),
  tokenId: z.string().max(255).optional(),
  task: z.string().max(64).optional(),
  /** `attempted`: a tool with an effect is about to be executed; what became of it is an event of its own */
  outcome: z.union([z.literal('allowed'), z.literal('attempted'), refusalCode]),
  /** id of the event that said `attempted` */
  attempt: z.uuid().optional(),
  /** labels that the call gave its task */
  labels: z.array(z.string().max(32)).max(8).optional(),
  /** id of the approval that was asked for or spent */
  approval: z.string().max(64).optional(),
  /**
   * true for what moves the agent's behaviour: a scope beyond the ceiling, an unknown tool, another customer in a task that
   * is bound to one, more customers than the budget has, a chain, an approval that was tampered with. A step-up is none.
   */
  denial: z.boolean(),
  /** status of the HTTP answer; 0 where the call is only `attempted` */
  http: z.int(),
  /** HMAC-SHA-256 (hex) of the canonical arguments under the tenant's digest key */
  argumentsDigest: z.string().optional(),
  /** what the tool declares safe of its validated input: choices and figures, never free text */
  arguments: z.record(z.string().max(64), z.union([z.string().max(64), z.number(), z.boolean()])).optional(),
  /** LLM tokens used, integer */
  llmTokens: z.int().optional(),
  durationMs: z.number(),
  /** milliseconds per step of the guard, in the order they ran; a step that took less than one is not named */
  stepsMs: z.record(z.string(), z.number()).optional(),
  address: z.string().max(64).optional(),
  /** what the caller calls this request; printable, at most 128 characters each */
  client: z
    .object({
      requestId: z.string().max(128).optional(),
      toolCallId: z.string().max(128).optional(),
      traceparent: z.string().max(128).optional(),
    })
    .optional(),
  /** for people, never shown to the caller; names rules and ids, never arguments or secrets */
  reason: z.string().max(1000).optional(),
});

/** Logins, consents and tokens. */
export const authData = z.object({
  ...who,
  action: z.enum([
    'token.issued',
    'token.refused',
    'token.revoked',
    'token.introspected',
    'grant.revoked',
    'grant.compromised',
    'revocation.refused',
    'introspection.refused',
    'login.succeeded',
    'login.failed',
    'consent.granted',
    'consent.refused',
    'request.pushed',
    'request.refused',
    'authorization.refused',
    'login.cancelled',
    'login.throttled',
    'form.refused',
    'session.ended',
  ]),
  grantType: z.string().max(128).optional(),
  scope: z.string().max(4096).optional(),
  resource: z.string().max(1024).optional(),
  tokenId: z.string().max(255).optional(),
  grantId: z.string().max(255).optional(),
  address: z.string().max(64).optional(),
  reason: z.string().max(1000).optional(),
});

/** What a person or an administrator's tool changed, or read across tenants. */
export const adminData = z.object({
  action: z.string().max(64),
  /** `local-admin/UID`, a user's id, or a client's id */
  actor: z.string().max(255),
  target: z.string().max(255).optional(),
  /** of `rules.changed`: which table of rate limits is in force now, in place of which version, and how many rules it has */
  rules: z
    .object({ version: z.int(), before: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/), count: z.int() })
    .optional(),
  reason: z.string().max(1000).optional(),
});

/** A person's yes or no to one call of an agent. */
export const approvalData = z.object({
  ...who,
  action: z.enum(['approval.asked', 'approval.given', 'approval.refused', 'approval.spent']),
  approval: z.string().max(64),
  tool: z.string().max(128),
  task: z.string().max(64).optional(),
  /** who decided */
  actor: z.string().max(255).optional(),
  /** HMAC-SHA-256 (hex) of the canonical arguments under the tenant's digest key */
  argumentsDigest: z.string().optional(),
  reason: z.string().max(1000).optional(),
});

/** An agent moved from one state of behaviour to another. */
export const standingData = z.object({
  ...who,
  from: z.enum(BEHAVIOUR_STATES),
  to: z.enum(BEHAVIOUR_STATES),
  why: z.string().max(1000),
  /** `rule:NAME`, or the person who did it */
  by: z.string().max(255),
});
