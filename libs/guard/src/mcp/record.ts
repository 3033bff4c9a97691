import { argumentsDigest, type DigestKey } from '@portcullis/audit-schemas/digest';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { CallRecord } from '../call.js';
import { printable } from '@portcullis/validators/text';
import type { Message } from './message.js';

/** What the caller calls a request; kept beside our own id and believed in nothing. */
export interface ClientNames {
  readonly requestId?: string | undefined;
  readonly toolCallId?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** What is known of a request from the outside. */
export interface Arrival {
  readonly correlationId: string;
  /** ms since epoch */
  readonly at: number;
  readonly address: string;
  readonly client: ClientNames;
}

export const openRecord = ({ correlationId, at }: Arrival): CallRecord => ({
  correlationId,
  startedAt: at,
  denial: false,
  stepsMs: {},
});

/** What was asked for, also when there is no such thing. A notification asks for no tool: none is executed for it. */
export function askedOf({
  id,
  method,
  params,
}: Pick<Message, 'id' | 'method' | 'params'>): NonNullable<CallRecord['asked']> {
  const tool = id !== undefined && method === 'tools/call' ? printable(params['name']) : undefined;
  return { method: printable(method) ?? '', ...(tool !== undefined && { tool }) };
}

/**
 * The audit event of one request.
 * @param http status of the answer
 * @param now  ms since epoch
 * @param keyOf the digest key of a tenant
 */
export function callEvent(
  record: CallRecord,
  arrival: Arrival,
  http: number,
  now: number,
  keyOf: (tenant: string) => DigestKey,
): EventDraft {
  const { caller, operation, refusal, asked } = record;
  const { requestId, toolCallId, traceparent } = arrival.client;
  const tenant = caller?.tenant ?? DEFAULT_TENANT;
  const called = operation && operation.kind !== 'other' ? operation : undefined;
  return {
    type: 'portcullis.call.v1',
    // record.spec.ts
    fits: true,
    tenant,
    subject: caller?.principal,
    at: now,
    data: {
      correlationId: record.correlationId,
      clientId: caller?.clientId,
      sub: caller?.sub,
      tokenId: caller?.tokenId,
      task: caller?.task,
      method: asked?.method,
      tool: called?.tool.name ?? asked?.tool,
      // the template: what fills it in is an argument, and arguments are kept as digests only
      resource: called?.kind === 'resource' ? called.template : undefined,
      outcome: refusal?.code ?? 'allowed',
      labels: record.labels && [...record.labels],
      denial: record.denial,
      http,
      attempt: record.attempt,
      approval: record.approval,
      argumentsDigest: called && argumentsDigest(keyOf(tenant), called.args),
      arguments: record.arguments,
      llmTokens: record.llmTokens,
      durationMs: Math.max(0, now - record.startedAt),
      stepsMs: record.stepsMs,
      address: printable(arrival.address, 64),
      client: {
        requestId: printable(requestId),
        toolCallId: printable(toolCallId),
        traceparent: printable(traceparent),
      },
      reason: printable(refusal?.detail, 1000),
    },
  };
}

/** No answer was given yet. */
const NONE_YET = 0;

/** The event that goes before the execution of a tool with an effect; what became of it is told by {@link callEvent}. */
export function attemptEvent(
  record: CallRecord,
  arrival: Arrival,
  now: number,
  keyOf: Parameters<typeof callEvent>[4],
): EventDraft {
  const event = callEvent(record, arrival, NONE_YET, now, keyOf);
  return { ...event, data: { ...event.data, outcome: 'attempted' } } as EventDraft;
}
