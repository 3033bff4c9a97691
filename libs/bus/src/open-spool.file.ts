import { appendFileSync, closeSync, constants, ftruncateSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainHead } from './outbox.js';
import { scanSegment, type Segment } from './segment.file.js';
import { Spool, syncDirectory, type Disk } from './spool.file.js';

/** The spool does not hold together, and going on would hide it. To start a new chain, move the directory away. */
export class OutboxDamaged extends Error {
  override readonly name = 'OutboxDamaged';
}

export interface OpenedSpool {
  readonly spool: Spool;
  /** the end of the chain; undefined = there is none yet */
  readonly head: ChainHead | undefined;
  /** sequence number of the first event that lies here, or of the next one when there is none */
  readonly firstSeq: number;
  /** events that were damaged and put aside before they were shipped */
  readonly lost: number;
  /** where damaged bytes were put; undefined when there were none */
  readonly putAside: string | undefined;
}

/**
 * Reads what a directory holds, follows its chain, deletes what was shipped, and repairs the end of the last segment: a
 * write that the death of the process or the machine cut off leaves a torn line, which is moved to a file beside it.
 * @param cursor the last shipped event; undefined = none is known
 * @throws OutboxDamaged when anything but the end of the last segment is damaged, or a segment is missing
 */
export function openSpool(
  directory: string,
  cursor: ChainHead | undefined,
  segmentBytes: number,
  disk: Disk,
): OpenedSpool {
  const names = readdirSync(directory)
    .filter((name) => /^\d{15}\.jsonl$/.test(name))
    .sort();
  const segments: Segment[] = [];
  let head: ChainHead | undefined;
  let offset = 0;
  let lost = 0;
  let putAside: string | undefined;
  refuseMissing(names[0], cursor);
  syncDirectory(directory);
  for (const [i, name] of names.entries()) {
    const path = join(directory, name);
    const first = parseInt(name, 10);
    const scan = scanSegment(path, head, first, cursor?.seq);
    head = scan.head;
    if (scan.good < scan.bytes) {
      const last = head?.seq ?? first - 1;
      if (i < names.length - 1) {
        throw new OutboxDamaged(
          `${path} is damaged at byte ${scan.good}, before later events; event ${last + 1} is the first that is not certain`,
        );
      }
      putAside = putTailAside(path, scan.tail);
      // those that were handed on before are not lost
      lost = Math.max(0, scan.damaged - Math.max(0, (cursor?.seq ?? 0) - last));
    }
    const shipped = head !== undefined && cursor !== undefined && head.seq <= cursor.seq;
    if (shipped || scan.good === 0) {
      unlinkSync(path);
    } else {
      if (segments.length === 0) offset = scan.found;
      makeDurable(path, scan.good, disk);
      segments.push({ path, first, size: scan.good, durable: scan.good });
    }
  }
  const spool = new Spool(directory, segments, offset, segmentBytes, disk);
  const end = endOf(head, cursor);
  const firstSeq = segments[0]?.first ?? (end?.seq ?? 0) + 1;
  return { spool, head: end, firstSeq, lost, putAside };
}

function refuseMissing(firstName: string | undefined, cursor: ChainHead | undefined): void {
  if (firstName === undefined || cursor === undefined || parseInt(firstName, 10) <= cursor.seq + 1) return;
  throw new OutboxDamaged(`event ${cursor.seq + 1} was not shipped and its segment is gone; ${firstName} comes later`);
}

/**
 * The cursor may know more than the files (all shipped and deleted, or the disk forgot the end of what was shipped):
 * the chain goes on after whichever is further.
 */
function endOf(head: ChainHead | undefined, cursor: ChainHead | undefined): ChainHead | undefined {
  if (head === undefined || cursor === undefined) return head ?? cursor;
  if (head.source !== cursor.source) {
    throw new OutboxDamaged(`the cursor is of ${cursor.source}, the spooled events are of ${head.source}`);
  }
  return head.seq > cursor.seq ? head : cursor;
}

function putTailAside(path: string, tail: Buffer): string {
  const aside = `${path}.damaged`;
  appendFileSync(aside, tail, { mode: 0o600, flush: true });
  return aside;
}

function makeDurable(path: string, size: number, disk: Disk): void {
  const fd = openSync(path, constants.O_RDWR);
  try {
    ftruncateSync(fd, size);
    disk.fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
