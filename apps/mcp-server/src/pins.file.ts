import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pins, type Pins } from '@portcullis/guard/pins';

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
