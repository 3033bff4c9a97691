import { eventHash } from '@portcullis/audit-schemas/digest';
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ChainHead } from './outbox.js';

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

/** The last event that the bus has. @returns undefined when there is no cursor, or none that can be read */
export function readCursor(directory: string): ChainHead | undefined {
  try {
    const { sum, ...cursor } = cursorSchema.parse(JSON.parse(readFileSync(join(directory, NAME), 'utf8')));
    return sum === undefined || sum === sumOf(cursor) ? cursor : undefined;
  } catch {
    // then everything that lies in the spool is shipped again, which readers stand
    return undefined;
  }
}

/** Resolves when the cursor survives a power failure too. One at a time. */
export async function writeCursor(directory: string, cursor: ChainHead): Promise<void> {
  const { source, seq, prev } = cursor;
  const path = join(directory, NAME);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify({ source, seq, prev, sum: sumOf(cursor) }));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
