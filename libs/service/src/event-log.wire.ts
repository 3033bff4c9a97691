import { join } from 'node:path';
import type { Bus } from '@portcullis/bus/bus';
import { countLosses } from '@portcullis/bus/counted-losses';
import { directEventLog } from '@portcullis/bus/direct-log.memory';
import type { EventLog } from '@portcullis/bus/outbox';
import { openOutbox } from '@portcullis/bus/outbox.file';
import type { Log } from '@portcullis/contract/log';
import { newId } from '@portcullis/guard/new-id.memory';
import type { CommonSettings } from './common.js';

type Names = 'OUTBOX' | 'OUTBOX_SYNC' | 'OUTBOX_FULL' | 'OUTBOX_MAX_BYTES';
/** What is not said is as safe as it can be. */
export type EventLogSettings = Pick<CommonSettings, 'OUTBOX_DIR'> & Partial<Pick<CommonSettings, Names>>;

/**
 * The event log of one service, as its settings want it: a durable spool in a folder of its own below OUTBOX_DIR, or
 * straight to the bus, and in either case refusing what it cannot keep, or counting it.
 * @throws OutboxInUse, OutboxDamaged
 */
export async function openEventLog(
  settings: EventLogSettings,
  service: string,
  { bus, log }: { readonly bus: Bus; readonly log: Log },
): Promise<EventLog> {
  const { OUTBOX_DIR, OUTBOX = 'spool', OUTBOX_SYNC = 'effects', OUTBOX_FULL = 'refuse', OUTBOX_MAX_BYTES } = settings;
  const parts = { service, bus, log, newId, now: Date.now };
  const room = OUTBOX_MAX_BYTES === undefined ? {} : { maxBytes: OUTBOX_MAX_BYTES };
  const events =
    OUTBOX === 'direct'
      ? directEventLog({ ...parts, ...room })
      : await openOutbox({ ...parts, ...room, dir: join(OUTBOX_DIR, service), sync: OUTBOX_SYNC });
  return OUTBOX_FULL === 'count' ? countLosses(events, parts) : events;
}
