import { latin1 } from './bytes.js';

/** Inflates a zlib stream. @throws when it is broken, or becomes more than `max` bytes */
export type Inflate = (bytes: Uint8Array, max: number) => Uint8Array;

/**
 * What makes a document act, or carries another file (ISO 32000-2 §7.11.4, §12.6.4, §12.7). Names of two letters are not among
 * them: compressed pictures hold those by chance, and no action goes without its longer name.
 */
const ACTIVE =
  /\/(?:JavaScript|Launch|EmbeddedFiles?|Filespec|RichMedia|XFA|SubmitForm|ImportData|GoToR|GoToE|Movie|Sound|Rendition)(?![A-Za-z0-9])/;
/** What cannot be looked into is as good as bad. */
const ENCRYPTED = /\/Encrypt(?![A-Za-z0-9])/;
/** A text or a comment, which could look like the stream; the dictionary of an object stream needs neither. */
const TEXT = /[(%]/;
/** What readers need of an object stream, all of it required (§7.5.7, table 16); some take one that does not say its type. */
const HOLDS_OBJECTS = [/\/N(?![A-Za-z0-9])/, /\/First(?![A-Za-z0-9])/];
/** Bytes that the object streams of one document may hold together. */
const MAX_INFLATED = 4 * 1024 * 1024;
/** The only compression that is looked through, once, and given where the stream is. */
const ONCE_DEFLATED = /\/Filter\s*(?:\/FlateDecode(?![A-Za-z0-9])|\[\s*\/FlateDecode\s*\])/g;

/**
 * Why a PDF is not taken, in words for whoever sent it; undefined when it is. It looks at the objects in the open and at
 * those that lie compressed in object streams (ISO 32000-2 §7.5.7), whether these say their type or only have what makes
 * them one, but not into pictures, fonts and pages. It finds what the common makers of harmful documents leave; against
 * one made for this very check stands the scanner.
 */
export function pdfProblem(bytes: Uint8Array, inflate: Inflate): string | undefined {
  const text = latin1(bytes);
  if (!/%%EOF\s{0,8}$/.test(text.slice(-32))) return 'must be a whole PDF with nothing behind it';
  const names = named(text);
  let left = MAX_INFLATED;
  let seen = 0;
  for (const { dictionary, isSure, from, to } of streamsIn(text)) {
    if (!isSure) return UNREADABLE;
    const saysSo = dictionary.includes('/ObjStm');
    if (saysSo) seen += 1;
    else if (!HOLDS_OBJECTS.every((name) => name.test(dictionary))) continue;
    if (TEXT.test(dictionary) || !isOnceDeflated(dictionary)) return UNREADABLE;
    try {
      const objects = inflate(bytes.subarray(from, to), left);
      left -= objects.length;
      if (ACTIVE.test(named(latin1(objects)))) return ACTS;
    } catch {
      return UNREADABLE;
    }
  }
  if (seen !== names.split('/ObjStm').length - 1) return UNREADABLE;
  if (ENCRYPTED.test(names)) return 'must be a PDF that is not encrypted';
  return ACTIVE.test(names) ? ACTS : undefined;
}

const UNREADABLE = 'must be a PDF whose objects can be read';
const ACTS = 'must be a PDF without scripts, actions, forms that send, media or embedded files';

/** A name may spell any of its characters as `#` and two digits (ISO 32000-2 §7.3.5). */
const named = (text: string): string =>
  text.replace(/#([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

function isOnceDeflated(dictionary: string): boolean {
  const filters = dictionary.split('/Filter').length - 1;
  return filters === 1 && dictionary.match(ONCE_DEFLATED)?.length === 1 && !dictionary.includes('/DecodeParms');
}

interface Stream {
  /** from the end of the object or stream before */
  readonly dictionary: string;
  /** Does the word follow the end of a dictionary (§7.3.8.1)? Elsewhere it may be a word in a text, or the start for some reader. */
  readonly isSure: boolean;
  readonly from: number;
  readonly to: number;
}

/** Every stream; the word in other places is none, unless its line ends there as a stream's does. */
function* streamsIn(text: string): Generator<Stream> {
  let before = 0;
  for (let at = text.indexOf('stream'); at !== -1; at = text.indexOf('stream', at + 1)) {
    const from = at + 'stream'.length + (text.startsWith('\r\n', at + 6) ? 2 : 1);
    if (text.startsWith('end', at - 3)) continue;
    // a NUL is a blank in a PDF too (§7.2.3)
    const isSure = />>[\0\s]{0,62}$/.test(text.slice(Math.max(0, at - 64), at));
    if (!isSure && !/[\r\n]/.test(text.charAt(at + 6))) continue;
    const end = text.indexOf('endstream', from);
    // some readers go by its length alone
    if (end === -1) return yield { dictionary: '', isSure: false, from, to: text.length };
    const between = text.slice(before, at);
    const dictionary = named(between.slice(Math.max(0, between.lastIndexOf('endobj'))));
    yield { dictionary, isSure, from, to: end };
    before = end;
    at = end + 'end'.length;
  }
}
