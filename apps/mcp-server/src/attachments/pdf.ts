import { latin1 } from './bytes.js';

/** Inflates a zlib stream. @throws when it is broken, or becomes more than `max` bytes */
export type Inflate = (bytes: Uint8Array, max: number) => Uint8Array;

/** What makes a document act, or carries another file (ISO 32000-2 §7.11.4, §12.6.4, §12.7). */
const ACTIVE =
  /\/(?:JavaScript|JS|Launch|AA|EmbeddedFiles?|Filespec|RichMedia|XFA|SubmitForm|ImportData|GoToR|GoToE|Movie|Sound|Rendition)(?![A-Za-z0-9])/;
/** What cannot be looked into is as good as bad. */
const ENCRYPTED = /\/Encrypt(?![A-Za-z0-9])/;
/** Bytes that the object streams of one document may hold together. */
const MAX_INFLATED = 4 * 1024 * 1024;
/** A dictionary before its stream. */
const DICTIONARY = 2_000;

/**
 * Why a PDF is not taken, in words for whoever sent it; undefined when it is. It looks at every object, also at those
 * that lie compressed in object streams (ISO 32000-2 §7.5.7), but not into pictures, fonts and pages.
 */
export function pdfProblem(bytes: Uint8Array, inflate: Inflate): string | undefined {
  const text = latin1(bytes);
  if (!/%%EOF\s{0,8}$/.test(text.slice(-32))) return 'must be a whole PDF with nothing behind it';
  let left = MAX_INFLATED;
  for (const { dictionary, from, to } of streamsIn(text)) {
    if (!dictionary.includes('/ObjStm')) continue;
    if (!/\/FlateDecode(?![A-Za-z0-9])/.test(dictionary) || dictionary.includes('/DecodeParms'))
      return 'must be a PDF whose objects can be read';
    try {
      const objects = inflate(bytes.subarray(from, to), left);
      left -= objects.length;
      if (ACTIVE.test(named(latin1(objects)))) return ACTS;
    } catch {
      return 'must be a PDF whose objects can be read';
    }
  }
  const names = named(text);
  if (ENCRYPTED.test(names)) return 'must be a PDF that is not encrypted';
  return ACTIVE.test(names) ? ACTS : undefined;
}

const ACTS = 'must be a PDF without scripts, actions, forms that send, media or embedded files';

/** A name may spell any of its characters as `#` and two digits (ISO 32000-2 §7.3.5). */
const named = (text: string): string =>
  text.replace(/#([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Every stream with the text before it, which holds its dictionary. */
function* streamsIn(text: string): Generator<{ dictionary: string; from: number; to: number }> {
  for (let at = text.indexOf('stream'); at !== -1; at = text.indexOf('stream', at + 1)) {
    const from = at + 'stream'.length + (text.startsWith('\r\n', at + 6) ? 2 : 1);
    if (text.startsWith('end', at - 3)) continue;
    const end = text.indexOf('endstream', from);
    if (end === -1) return;
    yield { dictionary: named(text.slice(Math.max(0, at - DICTIONARY), at)), from, to: end };
    at = end;
  }
}
