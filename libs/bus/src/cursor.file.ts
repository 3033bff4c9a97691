import { eventHash } from '@portcullis/audit-schemas/digest';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ChainHead } from './outbox.js';

/** How far a spool was handed on, kept beside it. */
export interface Cursor {
  /** the last event that the bus has; undefined when none is known */
  readonly last: ChainHead | undefined;
  /** Resolves when that survives a power failure too. One at a time. */
  save(last: ChainHead): Promise<void>;
}

const cursorSchema = z.object({
  source: z.string(),
  seq: z.int().min(0),
  prev: z.string().regex(/^[0-9a-f]{64}$/),
  /** of the others; older versions wrote none */
  sum: z.string().optional(),
});

/** A cursor that is too far would have events deleted that nobody has. */
const sumOf = ({ source, seq, prev }: ChainHead): string => eventHash(`${source} ${seq} ${prev}`);

const NAME = 'cursor.json';
/** Bytes. A disk writes so many whole or not at all, and the sum tells where that is not so. */
const SLOT = 512;

/**
 * The file has two slots, which are written in turn and in place. So it never needs more room than it has from the start:
 * on a disk that the spool has filled, events could else not be noted as shipped, so not be deleted, and it stayed full.
 * A write that was cut off leaves the other slot. When both are unreadable, all that lies in the spool is shipped again,
 * which readers stand.
 */
export function openCursor(directory: string): Cursor {
  const path = join(directory, NAME);
  const slots = readSlots(path);
  const newest = slots.reduce((best, slot, i) => ((slot?.seq ?? -1) > (slots[best]?.seq ?? -1) ? i : best), 0);
  const last = slots[newest];
  let next = 1 - newest;
  let made = slots.length === 2;
  const make = (): void => {
    if (made) return;
    const [first, second] = [last ? textOf(last) : '', ''].map((text) => text.padEnd(SLOT));
    writeNew(path, `${first}${second}`);
    made = true;
  };
  try {
    make();
  } catch {
    // the disk is full; it is tried again whenever there is something to save
  }
  return {
    last,
    async save(head) {
      make();
      const bytes = Buffer.from(textOf(head).padEnd(SLOT));
      if (bytes.length > SLOT) throw new Error(`a cursor of ${bytes.length} bytes`);
      const file = await open(path, 'r+');
      try {
        await file.write(bytes, 0, SLOT, next * SLOT);
        await file.datasync();
      } finally {
        await file.close();
      }
      next = 1 - next;
    },
  };
}

const textOf = ({ source, seq, prev }: ChainHead): string =>
  JSON.stringify({ source, seq, prev, sum: sumOf({ source, seq, prev }) });

/** Older versions wrote one cursor and nothing else. @returns two, or the one of such a file */
function readSlots(path: string): (ChainHead | undefined)[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [undefined];
  }
  return Buffer.byteLength(text) === 2 * SLOT
    ? [cursorIn(text.slice(0, SLOT)), cursorIn(text.slice(SLOT))]
    : [cursorIn(text)];
}

function cursorIn(text: string): ChainHead | undefined {
  try {
    const { sum, ...cursor } = cursorSchema.parse(JSON.parse(text));
    return sum === undefined || sum === sumOf(cursor) ? cursor : undefined;
  } catch {
    return undefined;
  }
}

function writeNew(path: string, text: string): void {
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}
