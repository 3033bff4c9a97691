import { readFileSync } from 'node:fs';
import { follow, type ChainHead } from './outbox.js';

/** A spool file: `SEQ.jsonl`, where SEQ is `first` in 15 digits. */
export interface Segment {
  readonly path: string;
  /** sequence number of its first event */
  readonly first: number;
  /** bytes that hold whole events */
  size: number;
  /** bytes of those that survive a power failure */
  durable: number;
}

/**
 * Each event names the hash of the one before it, so a change shows in the next line. The last of what is written at once
 * has no next line yet: a line with its own hash vouches for it. Files of versions that wrote no seals are read all the same.
 */
export const sealOf = (head: string): string => `${SEAL}${head}`;
export const isSeal = (line: string): boolean => line.startsWith(SEAL);
const SEAL = '#';

export interface Scan {
  /** the chain after the last good line; undefined when there is neither one nor a head to follow */
  readonly head: ChainHead | undefined;
  /** bytes of the file */
  readonly bytes: number;
  /** bytes up to the end of the last good line */
  readonly good: number;
  /** what comes after those */
  readonly tail: Buffer;
  /** events in whole lines among that */
  readonly damaged: number;
  /** bytes up to the end of the line with the sequence number that was looked for; 0 when it is not here */
  readonly found: number;
}

const LINE_FEED = 0x0a;

/**
 * Reads a segment and follows the chain through it.
 * @param before the chain before it; undefined when that is not known, and the first line is taken for its start
 * @param first  sequence number that the first line then has
 * @param seek   sequence number whose end is looked for
 */
export function scanSegment(
  path: string,
  before: ChainHead | undefined,
  first: number,
  seek: number | undefined,
): Scan {
  const bytes = readFileSync(path);
  let at: Place = { head: before, good: 0, found: 0 };
  /** up to here every event is vouched for by what comes after it */
  let vouched = at;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, at.good)) {
    const line = bytes.toString('utf8', at.good, end);
    const good = end + 1;
    if (isSeal(line)) {
      const seal = sealOf(at.head?.prev ?? '');
      if (line !== seal) {
        // when the seal goes on, only the line end was changed; else it or the event, and nobody knows which
        if (!line.startsWith(seal)) at = vouched;
        break;
      }
      vouched = at = { ...at, good };
      continue;
    }
    const next = follow(at.head, line);
    if (next === undefined || (at.head === undefined && next.seq !== first)) {
      // an event that names another hash says that the one before it was changed, and that must not be handed on
      if (at.head && follow({ ...at.head, prev: prevIn(line) }, line)) at = vouched;
      break;
    }
    vouched = at;
    at = { head: next, good, found: next.seq === seek ? good : at.found };
  }
  const tail = bytes.subarray(at.good);
  return { ...at, bytes: bytes.length, tail, damaged: eventsIn(tail) };
}

type Place = Pick<Scan, 'head' | 'good' | 'found'>;

/** The `prev` of an event; '' when the line is none. */
function prevIn(line: string): string {
  try {
    return String((JSON.parse(line) as { prev?: unknown } | null)?.prev);
  } catch {
    return '';
  }
}

/** How an event begins. With one byte changed anywhere, one of the two is still there. */
const BEGINS = { first: '{"sp', then: 'ecversion":"1.0"' };

/** Events in whole lines, where bytes were changed, line ends too. */
function eventsIn(tail: Buffer): number {
  const whole = tail.toString('latin1', 0, tail.lastIndexOf(LINE_FEED) + 1);
  return whole
    .split('\n')
    .map((line) => Math.max(line.split(BEGINS.then).length - 1, line.startsWith(BEGINS.first) ? 1 : 0))
    .reduce((sum, events) => sum + events, 0);
}
