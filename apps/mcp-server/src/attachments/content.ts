import { hiddenIn } from '@portcullis/validators/hidden-unicode';
import { isPlainText } from '@portcullis/validators/text';
import { fileTypeFromBuffer } from 'file-type';
import type { Attachment } from '../data/data.js';
import { latin1 } from './bytes.js';
import { isWholeJpeg, isWholePng } from './images.js';
import { pdfProblem, type Inflate } from './pdf.js';

/** bytes */
export const MAX_CONTENT = 700 * 1024;

/** What a content is, or why it is not taken, in words for whoever sent it. */
export type Content =
  | { readonly type: Attachment['type']; readonly problem?: undefined }
  | { readonly problem: string; readonly type?: undefined };

const refused = (problem: string): Content => ({ problem });

/**
 * Finds out by its bytes what a file is, and refuses what is more than one thing: a file that one program takes for a
 * picture and another for an archive or a page (a polyglot) has no place in a ticket.
 */
export async function contentOf(bytes: Uint8Array, inflate: Inflate): Promise<Content> {
  if (bytes.length === 0) return refused('must not be empty');
  if (bytes.length > MAX_CONTENT) return refused(`must have at most ${MAX_CONTENT} bytes`);
  if (isDiscOrTape(bytes)) return refused(ARCHIVE);
  const head = latin1(bytes.subarray(0, 8));
  const type = BINARY.find((binary) => head.startsWith(SIGNATURES[binary]));
  const problem = type === undefined ? textProblem(bytes) : problemOf[type](bytes, inflate);
  if (problem !== undefined) return refused(problem);
  // The library knows many kinds of files, and unpacks some to tell them apart: it is asked last, of what is in order so far.
  const found = await fileTypeFromBuffer(bytes);
  if (type === undefined) return PROGRAMS.has(found?.mime ?? '') ? refused(NOT_TAKEN) : { type: 'text/plain' };
  return found?.mime === type ? { type } : refused(NOT_TAKEN);
}

/** How a file begins; the library also looks behind a byte order mark and behind tags of music. */
const SIGNATURES = {
  'application/pdf': '%PDF-',
  'image/png': '\x89PNG\r\n\x1a\n',
  'image/jpeg': '\xff\xd8\xff',
};
type Binary = keyof typeof SIGNATURES;
const BINARY = Object.keys(SIGNATURES) as Binary[];
/** Texts that make a reader act. What else the library takes a text for, by a few first letters, it is not: BMW is no bitmap. */
const PROGRAMS: ReadonlySet<string> = new Set([
  'application/rtf',
  'application/xml',
  'application/postscript',
  'application/eps',
]);

const problemOf: Readonly<Record<Binary, (bytes: Uint8Array, inflate: Inflate) => string | undefined>> = {
  'application/pdf': (bytes, inflate) => alien(bytes, { pdf: true }) ?? pdfProblem(bytes, inflate),
  'image/png': (bytes) => (isWholePng(bytes) ? alien(bytes, { pdf: false }) : NOT_WHOLE),
  'image/jpeg': (bytes) => (isWholeJpeg(bytes) ? alien(bytes, { pdf: false }) : NOT_WHOLE),
};

const NOT_WHOLE = 'must be one whole picture with nothing behind it';
const ARCHIVE = 'must not hold an archive';
const NOT_TAKEN = 'must be a PDF, a PNG, a JPEG or plain text';

/** What starts a page, an image or a program in a text; a browser or an interpreter could take it for one. */
const MARKUP = /<(?:!doctype|html|head|body|svg|script|iframe|object|embed|meta|link|style|\?xml|\?php|\?=|%)/i;
/** Of the short tag as much as a program needs: three bytes alone are in many a picture by chance. */
const PAGE_OR_SCRIPT = /<(?:!doctype html|html[\s>]|svg[\s>]|script[\s>]|\?php|\?=[\t\r\n -~]{6})/i;
/** What a page runs when something happens to an element, however the element is called. */
const HANDLER = /[\s/"'`]on[a-z]{3,20}\s*=/i;
const ZIP_ENTRIES = ['PK\x03\x04', 'PK\x01\x02'];
const ZIP_END = 'PK\x05\x06';
const ARCHIVES = ['Rar!\x1a\x07', '7z\xbc\xaf\x27\x1c', '\xfd7zXZ\x00', 'MSCF\x00\x00\x00\x00'];

/** Where the first descriptors of an ISO 9660 volume have their mark (ECMA-119 §8.1), with one byte before it. */
const VOLUMES = [0x8001, 0x8801, 0x9001];
/** Where an archive of tapes has its mark (POSIX.1, pax, ustar Interchange Format). */
const TAPE = 257;
const isDiscOrTape = (bytes: Uint8Array): boolean =>
  VOLUMES.some((at) => latin1(bytes.subarray(at, at + 5)) === 'CD001') ||
  latin1(bytes.subarray(TAPE, TAPE + 5)) === 'ustar';

/** A second file inside the first, found by the marks that other programs look for anywhere. */
function alien(bytes: Uint8Array, { pdf }: { pdf: boolean }): string | undefined {
  const text = latin1(bytes);
  const zip = text.includes(ZIP_END) && ZIP_ENTRIES.some((mark) => text.includes(mark));
  if (zip || ARCHIVES.some((mark) => text.includes(mark))) return ARCHIVE;
  if (text.includes('%PDF-', pdf ? 1 : 0)) return 'must not hold another document';
  return PAGE_OR_SCRIPT.test(text) || (!pdf && HANDLER.test(text)) ? 'must not hold a page or a script' : undefined;
}

function textProblem(bytes: Uint8Array): string | undefined {
  const text = utf8(bytes)?.replaceAll('\r\n', '\n');
  if (text === undefined || !isPlainText(text, { lines: true })) return NOT_TAKEN;
  if (hiddenIn(text) !== undefined) return 'must not hold invisible characters';
  if (MARKUP.test(text) || text.startsWith('#!') || text.includes('%PDF-'))
    return 'must be plain text, no page, no document and no program';
  return undefined;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
