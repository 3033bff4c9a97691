import { latin1, uint16, uint32 } from './bytes.js';

const SIGNATURE = '\x89PNG\r\n\x1a\n';

/**
 * Is it one PNG and nothing else: chunk after chunk from IHDR to IEND, and no byte behind it?
 * @see PNG (Third Edition) §5.3, §5.6
 */
export function isWholePng(bytes: Uint8Array): boolean {
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  let at = SIGNATURE.length;
  if (!latin1(bytes.subarray(0, at)).startsWith(SIGNATURE) || bytes.length < at + 12 || tag(at) !== 'IHDR')
    return false;
  while (at + 12 <= bytes.length) {
    const end = at + 12 + uint32(bytes, at);
    if (tag(at) === 'IEND') return end === at + 12 && end === bytes.length;
    at = end;
  }
  return false;
}

const MARKER = 0xff;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
/** The length of a first segment whose bytes open a comment in a script, behind what is a word in Latin-1. */
const COMMENTS: readonly number[] = [0x2f2a, 0x2f2f];
const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;

/**
 * Is it one JPEG and nothing else: marker after marker from SOI to EOI, and no byte behind it? Cameras that put a second
 * picture or a film behind the first are refused with the rest.
 * @see ITU-T T.81 §B.1, §B.2; ITU-T T.871 §10 (APP0 is JFIF's)
 */
export function isWholeJpeg(bytes: Uint8Array): boolean {
  if (bytes[0] !== MARKER || bytes[1] !== SOI) return false;
  let at = 2;
  let isFirst = true;
  while (at + 2 <= bytes.length) {
    if (bytes[at] !== MARKER) return false;
    const marker = bytes[at + 1] ?? 0;
    if (marker === MARKER) {
      at += 1; // fill byte, §B.1.1.2
      continue;
    }
    if (marker === EOI) return at + 2 === bytes.length;
    if (marker === 0 || isRestart(marker) || at + 4 > bytes.length) return false;
    const length = uint16(bytes, at + 2);
    if (length < 2 || (isFirst && COMMENTS.includes(length))) return false;
    if (marker === APP0 && !isJfif(bytes, at)) return false;
    isFirst = false;
    at += 2 + length;
    if (marker === SOS) at = endOfScan(bytes, at);
  }
  return false;
}

const isJfif = (bytes: Uint8Array, at: number): boolean =>
  ['JFIF\0', 'JFXX\0'].includes(latin1(bytes.subarray(at + 4, at + 9)));

/** Coded data goes on until a marker that is neither a stuffed zero nor a restart. */
function endOfScan(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(MARKER, from);
  while (at !== -1) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== MARKER && !isRestart(next)) return at;
    at = bytes.indexOf(MARKER, at + 1);
  }
  return bytes.length;
}
