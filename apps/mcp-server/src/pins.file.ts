import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pins, type Pins } from '@portcullis/guard/pins';
import { approvedWith, pinChanges, type PinChanges } from './pinned-tools.js';

/** Written by `portcullis pins approve` and read by people: its changes are what reviewers look at. */
export const PINS_FILE = fileURLToPath(new URL('../pins.json', import.meta.url));

/** @throws Error when there is no such file, or when it holds no pins */
export const readPins = async (path = PINS_FILE): Promise<Pins> => pins.parse(JSON.parse(await readFile(path, 'utf8')));

/** Sorted by name, so that a change shows as one line. */
export async function writePins(approved: Pins, path = PINS_FILE): Promise<void> {
  const sorted = Object.fromEntries(Object.entries(approved).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(`${path}.new`, `${JSON.stringify(sorted, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** @returns the pins in the file; none before the first approval, when there is no file */
export const readPinsIfAny = (path = PINS_FILE): Promise<Pins> =>
  readPins(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return {};
    throw error;
  });

/**
 * Approves tools as they are now; the file is written only when that changes it.
 * @param names of the tools; none = all of them
 * @throws RangeError naming one that is neither served nor pinned
 */
export async function approvePins(
  names: readonly string[],
  path = PINS_FILE,
): Promise<{ readonly approved: Pins; readonly changes: PinChanges }> {
  const before = await readPinsIfAny(path);
  const approved = approvedWith(before, names);
  const changes = pinChanges(before, approved);
  if (Object.values(changes).some((of) => of.length > 0)) await writePins(approved, path);
  return { approved, changes };
}
