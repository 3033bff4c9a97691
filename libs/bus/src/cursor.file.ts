import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ChainHead } from './outbox.js';

const cursorSchema = z.object({
  source: z.string(),
  seq: z.int().min(0),
  prev: z.string().regex(/^[0-9a-f]{64}$/),
});

const NAME = 'cursor.json';

/** The last event that the bus has. @returns undefined when there is no cursor, or none that can be read */
export function readCursor(directory: string): ChainHead | undefined {
  try {
    return cursorSchema.parse(JSON.parse(readFileSync(join(directory, NAME), 'utf8')));
  } catch {
    // then everything that lies in the spool is shipped again, which readers stand
    return undefined;
  }
}

/** Resolves when the cursor survives a power failure too. One at a time. */
export async function writeCursor(directory: string, { source, seq, prev }: ChainHead): Promise<void> {
  const path = join(directory, NAME);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify({ source, seq, prev }));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
