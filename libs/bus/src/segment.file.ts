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

export interface Scan {
  /** the chain after the last good line; undefined when there is neither one nor a head to follow */
  readonly head: ChainHead | undefined;
  /** bytes of the file */
  readonly bytes: number;
  /** bytes up to the end of the last good line */
  readonly good: number;
  /** what comes after those */
  readonly tail: Buffer;
  /** whole lines among that */
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
  let head = before;
  let good = 0;
  let found = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, good)) {
    const next = follow(head, bytes.toString('utf8', good, end));
    if (next === undefined || (head === undefined && next.seq !== first)) break;
    head = next;
    good = end + 1;
    if (head.seq === seek) found = good;
  }
  const tail = bytes.subarray(good);
  const damaged = tail.reduce((lines, byte) => (byte === LINE_FEED ? lines + 1 : lines), 0);
  return { head, bytes: bytes.length, good, tail, damaged, found };
}
