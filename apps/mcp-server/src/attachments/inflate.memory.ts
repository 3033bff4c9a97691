import { inflateSync } from 'node:zlib';
import type { Inflate } from './pdf.js';

export const inflate: Inflate = (bytes, max) => inflateSync(bytes, { maxOutputLength: Math.max(1, max) });
