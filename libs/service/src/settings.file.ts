import { readFileSync } from 'node:fs';
import type { ReadFile } from './settings.js';

/** Reads what `X_FILE` names; a trailing newline, which most secret stores add, is cut by the reader of settings. */
export const readSecretFile: ReadFile = (path) => readFileSync(path, 'utf8');
