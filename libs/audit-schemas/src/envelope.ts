import { isTenant } from '@portcullis/contract/ids';
import * as z from 'zod';
import { adminData, approvalData, authData, callData, standingData } from './data.js';

/** The kinds of events. Within v1 only optional fields are added; readers take n and n-1. */
export const EVENT_TYPES = {
  'portcullis.call.v1': callData,
  'portcullis.auth.v1': authData,
  'portcullis.admin.v1': adminData,
  'portcullis.standing.v1': standingData,
  'portcullis.approval.v1': approvalData,
} as const;
export type EventType = keyof typeof EVENT_TYPES;
export type EventData<T extends EventType> = z.output<(typeof EVENT_TYPES)[T]>;

/** `prev` of the first event of a source. */
export const FIRST_PREV = '0'.repeat(64);

const attributes = {
  specversion: z.literal('1.0'),
  /** UUIDv7 */
  id: z.uuid(),
  source: z.string().regex(/^\/portcullis\/[a-z-]+\/[A-Za-z0-9_-]{1,64}$/),
  /** the principal the event is about; absent when nobody was authenticated */
  subject: z.string().optional(),
  /** RFC 3339, UTC, with milliseconds */
  time: z.iso.datetime({ precision: 3 }),
  datacontenttype: z.literal('application/json'),
  tenant: z.string().refine(isTenant),
  /** 1, 2, 3 … without a gap per source */
  seq: z.int().positive(),
  /** SHA-256 (hex) of the source's last event as it was serialized */
  prev: z.string().regex(/^[0-9a-f]{64}$/),
  traceparent: z.string().optional(),
};

const eventOf = <T extends EventType>(type: T) =>
  z.object({ ...attributes, type: z.literal(type), data: EVENT_TYPES[type] });

/** CloudEvents 1.0 with the extension attributes tenant, seq, prev and traceparent. */
export const auditEvent = z.discriminatedUnion('type', [
  eventOf('portcullis.call.v1'),
  eventOf('portcullis.auth.v1'),
  eventOf('portcullis.admin.v1'),
  eventOf('portcullis.standing.v1'),
  eventOf('portcullis.approval.v1'),
]);
export type AuditEvent = z.output<typeof auditEvent>;

/** What a service says; the outbox adds id, source, seq and prev. */
export type EventDraft = {
  [T in EventType]: {
    readonly type: T;
    readonly tenant: string;
    readonly subject?: string | undefined;
    /** ms since epoch */
    readonly at: number;
    readonly traceparent?: string | undefined;
    readonly data: EventData<T>;
    /**
     * made by a function of which a property test shows that all it makes fits the schema, so that it is not looked at again:
     * for what is said on every call
     */
    readonly fits?: true;
  };
}[EventType];
