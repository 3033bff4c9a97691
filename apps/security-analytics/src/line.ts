import { auditEvent, EVENT_TYPES, type AuditEvent } from '@portcullis/audit-schemas/envelope';
import { eventHash } from '@portcullis/audit-schemas/digest';

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

/** Reads one message of the bus. Never throws: whatever a message holds, the stream goes on after it. */
export function readLine(line: string): Accepted | DeadLetter {
  if (line.length > MAX_LINE) return deadLetter(line, `longer than ${MAX_LINE} characters`);
  if (LONE_SURROGATE.test(line)) return deadLetter(line, 'not well-formed Unicode');
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return deadLetter(line, 'not JSON');
  }
  const parsed = auditEvent.safeParse(value);
  if (parsed.success) return { event: parsed.data, line };
  return deadLetter(line, whyNot(value, parsed.error.issues));
}

/** Messages of one batch, each kind in the order it came. */
export function readLines(lines: readonly string[]): { readonly accepted: Accepted[]; readonly dead: DeadLetter[] } {
  const accepted: Accepted[] = [];
  const dead: DeadLetter[] = [];
  for (const read of lines.map(readLine)) {
    if ('event' in read) accepted.push(read);
    else dead.push(read);
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
