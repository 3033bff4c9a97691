import { Buffer } from 'node:buffer';
import { tenantDigestKey, type DigestKey } from '@portcullis/audit-schemas/digest';
import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import type { CallRecord } from '../call.js';
import type { Limiter } from '@portcullis/limits/limiter';
import type { Answer } from './answer.js';
import { attemptEvent, callEvent, type Arrival } from './record.js';

/** What every call leaves behind: its limits settled, its event kept. Each is done once per call. */
export interface CallLedger {
  /** Charges the LLM tokens that were really used, or gives the reservation back. Never fails; at once where it can. */
  settle(record: CallRecord, answer: Answer): void | Promise<void>;
  /**
   * Keeps, where a power failure cannot undo it, that the call's tool is about to be executed. @returns the id of the event
   * @throws Refusal overloaded when it cannot be kept
   */
  attempted(record: CallRecord, arrival: Arrival): Promise<string>;
  /** Once the tool of the call may have had an effect, it waits until a power failure cannot undo it. @throws when the event cannot be kept */
  append(record: CallRecord, arrival: Arrival, http: number): Promise<unknown>;
}

/** A model reads about four characters per token. */
const BYTES_PER_TOKEN = 4;
const KEYS_KEPT = 1000;
const SYNCED = { synced: true };

export function callLedger({
  limiter,
  events,
  auditDigestKey,
  now,
  log,
}: {
  limiter: Limiter;
  events: EventLog;
  /** 32 bytes */
  auditDigestKey: Uint8Array;
  /** ms since epoch */
  now(): number;
  log: Log;
}): CallLedger {
  const keys = new Map<string, DigestKey>();
  const keyOf = (tenant: string): DigestKey => {
    let key = keys.get(tenant);
    if (key === undefined) {
      if (keys.size >= KEYS_KEPT) keys.clear();
      keys.set(tenant, (key = tenantDigestKey(auditDigestKey, tenant)));
    }
    return key;
  };

  return {
    settle(record, { status, body }) {
      const { lease, operation, caller } = record;
      if (lease === undefined || caller === undefined) return;
      const { tenant } = caller;
      const readByModel = operation !== undefined && operation.kind !== 'other' && status === 200 && body !== undefined;
      // The reservation stays charged; that errs on the safe side.
      const unsettled = (error: unknown): void =>
        log.warn('a lease was not settled', { correlationId: record.correlationId, error });
      try {
        if (readByModel) {
          const used = record.refusal === undefined ? operation.tool.llmTokensOf : undefined;
          record.llmTokens = used
            ? used(operation.args as Record<string, unknown>)
            : Math.ceil(Buffer.byteLength(body) / BYTES_PER_TOKEN);
        }
        const settled = readByModel
          ? limiter.settle(tenant, lease.lease, record.llmTokens!)
          : limiter.release(tenant, lease.lease);
        if (settled instanceof Promise) return settled.then(() => undefined, unsettled);
      } catch (error) {
        unsettled(error);
      }
    },
    async attempted(record, arrival) {
      const { id } = await events.append(attemptEvent(record, arrival, now(), keyOf), SYNCED);
      return id;
    },
    append: (record, arrival, http) =>
      events.append(callEvent(record, arrival, http, now(), keyOf), record.attempt === undefined ? undefined : SYNCED),
  };
}
