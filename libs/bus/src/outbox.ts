import { eventHash } from '@portcullis/audit-schemas/digest';
import { EVENT_TYPES, FIRST_PREV, type AuditEvent, type EventDraft } from '@portcullis/audit-schemas/envelope';
import { isLasting } from '@portcullis/audit-schemas/lasting';
import { isTenant } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';

export interface AppendOptions {
  /**
   * what the event tells of outlasts the call, so that the event has to outlast a power failure; so does, without a word,
   * what is lasting by its kind (administration, approvals, standing, consents and revocations)
   */
  readonly synced?: boolean;
}

/** Has the event to outlast a power failure? */
export const isDurable = (draft: EventDraft, { synced = false }: AppendOptions = {}): boolean =>
  synced || isLasting(draft);

/** Where a service says what happened. */
export interface EventLog {
  /**
   * Resolves when the event survives the death of this process, with `synced` that of the machine too; the bus has it
   * some time later, in order.
   * @throws Refusal `overloaded` when it cannot be kept (log full, closed, or the disk or the bus fails): what it would
   *   have told of must not happen, though after a sync or a bus that failed it may be found in the log all the same.
   *   `internal` when the draft is no event: a bug of the caller
   */
  append(draft: EventDraft, options?: AppendOptions): Promise<AuditEvent>;
  /** Hands over to the bus what it can within 2 s; the rest is handed over after the next start. */
  close(): Promise<void>;
  stats(): EventLogStats;
}

export interface EventLogStats {
  /** events appended since the log was opened */
  readonly spooled: number;
  /** events in the log that the bus does not have yet */
  readonly pending: number;
  /** events found damaged when the log was opened, and put aside, and those that answers went out without; 0 = all is well */
  readonly lost: number;
  /** true while appends cannot be kept: since one could not, until there is room again, or the disk or the bus answers */
  readonly failing?: boolean;
}

/** @throws Error for what is no name for a service in the events' source */
export function expectServiceName(service: string): void {
  if (!/^[a-z-]+$/.test(service)) throw new Error(`"${service}" is no name for a service: use a-z and -`);
}

/** The end of a source's chain of events. */
export interface ChainHead {
  /** `/portcullis/SERVICE/INSTANCE` */
  readonly source: string;
  /** of the last event; 0 = none yet */
  readonly seq: number;
  /** SHA-256 (hex) of the last event's line */
  readonly prev: string;
}

export const newChain = (service: string, instance: string): ChainHead => ({
  source: `/portcullis/${service}/${instance}`,
  seq: 0,
  prev: FIRST_PREV,
});

/** An event with the line that stands for it everywhere (hashes are of the line, so nobody serializes it again). */
export interface Link {
  readonly event: AuditEvent;
  /** JSON without a line end */
  readonly line: string;
  /** the chain after it */
  readonly head: ChainHead;
}

/** No event we make comes near; a line that long is a bug or an attack. UTF-16 units. */
const MAX_LINE = 65_536;

/**
 * Makes the next event of a chain. Fields that the event's schema does not name are left out.
 * @param id UUIDv7
 * @throws Refusal `internal` when the draft does not fit the schema of its type; its detail names fields, never values
 */
export function link(head: ChainHead, draft: EventDraft, id: string): Link {
  const { type, tenant, subject, at, traceparent } = draft;
  const { source, prev } = head;
  const seq = head.seq + 1;
  const data = checked(draft);
  // what is undefined is not in the line
  const event = {
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time: timeOf(at),
    datacontenttype: 'application/json',
    tenant,
    seq,
    prev,
    traceparent,
    data,
  } as AuditEvent;
  const line = JSON.stringify(event);
  if (line.length > MAX_LINE) throw new Refusal('internal', {}, { detail: `an event of ${line.length} characters` });
  return { event, line, head: { source, seq, prev: eventHash(line) } };
}

/** Events come many to the millisecond, and writing a time takes longer than hashing the line. */
let latest = { at: 0, time: new Date(0).toISOString() };
function timeOf(at: number): string {
  if (at !== latest.at) latest = { at, time: new Date(at).toISOString() };
  return latest.time;
}

/** The draft's data as its schema has it. The rest of the envelope is made by {@link link}, and need not be looked at on every call. */
function checked(draft: EventDraft): unknown {
  const { type, tenant, at, fits } = draft;
  const found = fits ? undefined : EVENT_TYPES[type]?.safeParse(draft.data);
  if ((fits || found?.success) && isTenant(tenant) && isTime(at)) return fits ? draft.data : found!.data;
  const wrong = [
    ...(isTenant(tenant) ? [] : ['tenant']),
    ...(isTime(at) ? [] : ['time']),
    ...(fits || found ? [] : ['type']),
    ...(found?.error?.issues ?? []).map((issue) => `data.${issue.path.join('.')}`),
  ];
  throw new Refusal('internal', {}, { detail: `not an event of type ${type}: ${wrong.join(', ')}` });
}

/** RFC 3339 has words for the years 0 to 9999; ms since epoch, before the first of which no event of ours was. */
const isTime = (at: number): boolean => at >= 0 && at < 253_402_300_800_000;

/** What keeps its order on the bus. */
export const eventKey = (event: { tenant: string; subject?: string | undefined }): string =>
  `${event.tenant}/${event.subject ?? ''}`;

/** The members of an envelope as {@link link} writes them; no text inside one can hold an unescaped quotation mark. */
const TENANT = ',"tenant":"';
const SUBJECT = ',"subject":"';

/** The key of an event by its line, without parsing the whole of it where it is as {@link link} writes it. */
export function keyIn(line: string): string {
  const data = line.indexOf(',"data":');
  const head = data === -1 ? line : line.slice(0, data);
  const [tenant, subject] = [textAfter(head, TENANT), textAfter(head, SUBJECT)];
  if (data === -1 || tenant === undefined || subject?.includes('\\')) return eventKey(JSON.parse(line));
  return eventKey({ tenant, subject });
}

function textAfter(line: string, member: string): string | undefined {
  const at = line.indexOf(member);
  return at === -1 ? undefined : line.slice(at + member.length, line.indexOf('"', at + member.length));
}

/**
 * The chain after a line that was read back, or undefined when the line is not the one that follows `head`.
 * Without a head the line is taken for the start of what is left of a chain.
 */
export function follow(head: ChainHead | undefined, line: string): ChainHead | undefined {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof event !== 'object' || event === null) return undefined;
  const { source, seq, prev } = event as Record<string, unknown>;
  if (typeof source !== 'string' || typeof seq !== 'number' || typeof prev !== 'string') return undefined;
  if (head && (source !== head.source || seq !== head.seq + 1 || prev !== head.prev)) return undefined;
  return { source, seq, prev: eventHash(line) };
}
