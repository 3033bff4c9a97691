import { auditEvent, EVENT_TYPES, type AuditEvent } from '@portcullis/audit-schemas/envelope';
import { eventHash } from '@portcullis/audit-schemas/digest';
import type { Message } from '@portcullis/bus/bus';
import { eventKey } from '@portcullis/bus/outbox';

/** An event and the exact text it came as. */
export interface Accepted {
  readonly event: AuditEvent;
  readonly line: string;
}

/** A message that is no event this version knows, cut to a bounded size. */
export interface DeadLetter {
  /** SHA-256 (hex) of the whole message */
  readonly hash: string;
  readonly reason: string;
  readonly line: string;
  /** UTF-16 units of the whole message */
  readonly length: number;
}

export const MAX_LINE = 65_536;
const MAX_DEAD_LINE = 4096;
const MAX_REASON = 500;
const LONE_SURROGATE = /\p{Cs}/u;

/**
 * Reads one message of the bus. Never throws: whatever a message holds, the stream goes on after it.
 * @param key of the message; of whom an event tells is said there too, and both must say the same, since the key is what
 *   keeps an agent's events in order, and apart from another tenant's
 */
export function readLine({ key, value: line }: Message): Accepted | DeadLetter {
  if (line.length > MAX_LINE) return deadLetter(line, `longer than ${MAX_LINE} characters`);
  if (LONE_SURROGATE.test(line)) return deadLetter(line, 'not well-formed Unicode');
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return deadLetter(line, 'not JSON');
  }
  const parsed = auditEvent.safeParse(value);
  if (parsed.success) {
    const { data: event } = parsed;
    return key === eventKey(event)
      ? { event, line }
      : deadLetter(line, 'its key is not that of its tenant and subject');
  }
  return deadLetter(line, whyNot(value, parsed.error.issues));
}

/** Messages of one batch, each kind in the order it came. */
export function readLines(messages: readonly Message[]): {
  readonly accepted: Accepted[];
  readonly dead: { readonly message: Message; readonly letter: DeadLetter }[];
} {
  const accepted: Accepted[] = [];
  const dead: { message: Message; letter: DeadLetter }[] = [];
  for (const message of messages) {
    const read = readLine(message);
    if ('event' in read) accepted.push(read);
    else dead.push({ message, letter: read });
  }
  return { accepted, dead };
}

export const deadLetter = (line: string, reason: string): DeadLetter => ({
  hash: eventHash(line),
  reason: reason.slice(0, MAX_REASON),
  line: line.slice(0, MAX_DEAD_LINE),
  length: line.length,
});

/** Names fields and types, never values: this is read on consoles. */
function whyNot(value: unknown, issues: readonly { readonly path: PropertyKey[]; readonly message: string }[]): string {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (typeof type === 'string' && !Object.hasOwn(EVENT_TYPES, type))
    return `unknown type ${JSON.stringify(type.slice(0, 100))}`;
  return issues.map(({ path, message }) => `${path.map(String).join('.') || 'event'}: ${message}`).join('; ');
}
