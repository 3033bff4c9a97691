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
  const found = await fileTypeFromBuffer(bytes);
  switch (found?.mime) {
    case 'application/pdf': {
      // the library also looks behind a byte order mark and behind tags of music
      if (!latin1(bytes.subarray(0, 5)).startsWith('%PDF-')) return refused(NOT_TAKEN);
      const problem = alien(bytes, { pdf: true }) ?? pdfProblem(bytes, inflate);
      return problem === undefined ? { type: 'application/pdf' } : refused(problem);
    }
    case 'image/png':
      return picture('image/png', isWholePng(bytes), bytes);
    case 'image/jpeg':
      return picture('image/jpeg', isWholeJpeg(bytes), bytes);
    case undefined:
      return plainText(bytes);
    default:
      return refused(NOT_TAKEN);
  }
}

const NOT_TAKEN = 'must be a PDF, a PNG, a JPEG or plain text';

function picture(type: Attachment['type'], whole: boolean, bytes: Uint8Array): Content {
  if (!whole) return refused('must be one whole picture with nothing behind it');
  const problem = alien(bytes, { pdf: false });
  return problem === undefined ? { type } : refused(problem);
}

/** What starts a page, an image or a program in a text; a browser or an interpreter could take it for one. */
const MARKUP = /<(?:!doctype|html|head|body|svg|script|iframe|object|embed|meta|link|style|\?xml|\?php|%)/i;
const PAGE_OR_SCRIPT = /<(?:!doctype html|html[\s>]|svg[\s>]|script[\s>]|\?php)/i;
const ZIP_ENTRIES = ['PK\x03\x04', 'PK\x01\x02'];
const ZIP_END = 'PK\x05\x06';
const ARCHIVES = ['Rar!\x1a\x07', '7z\xbc\xaf\x27\x1c', '\xfd7zXZ\x00', 'MSCF\x00\x00\x00\x00'];

/** A second file inside the first, found by the marks that other programs look for anywhere. */
function alien(bytes: Uint8Array, { pdf }: { pdf: boolean }): string | undefined {
  const text = latin1(bytes);
  const zip = text.includes(ZIP_END) && ZIP_ENTRIES.some((mark) => text.includes(mark));
  if (zip || ARCHIVES.some((mark) => text.includes(mark))) return 'must not hold an archive';
  if (text.includes('%PDF-', pdf ? 1 : 0)) return 'must not hold another document';
  return PAGE_OR_SCRIPT.test(text) ? 'must not hold a page or a script' : undefined;
}

function plainText(bytes: Uint8Array): Content {
  const text = utf8(bytes)?.replaceAll('\r\n', '\n');
  if (text === undefined || !isPlainText(text, { lines: true })) return refused(NOT_TAKEN);
  if (hiddenIn(text) !== undefined) return refused('must not hold invisible characters');
  if (MARKUP.test(text) || text.startsWith('#!') || text.includes('%PDF-'))
    return refused('must be plain text, no page, no document and no program');
  return { type: 'text/plain' };
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
