import { hiddenIn } from '@portcullis/validators/hidden-unicode';
import { isPlainText } from '@portcullis/validators/text';
import type { Attachment } from '../data/data.js';

/** UTF-16 code units */
export const MAX_NAME = 100;

/** Path separators, and what some file system or shell gives a meaning. */
const SPECIAL = /[/\\:*?"<>|%$`]/;
/** Names of devices on Windows, with any extension (Microsoft, Naming Files, Paths, and Namespaces). */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;
/** Anything that changes how a text is shown without being seen, the reversal of direction among it. */
const FORMAT = /\p{Cf}/u;

export const EXTENSIONS: Readonly<Record<Attachment['type'], readonly string[]>> = {
  'application/pdf': ['pdf'],
  'image/png': ['png'],
  'image/jpeg': ['jpg', 'jpeg'],
  'text/plain': ['txt', 'log', 'md'],
};

/**
 * Why a file may not be called so, in words for whoever called it so; undefined when it may. The name is kept to be shown,
 * and no file is ever made by it.
 */
export function nameProblem(name: string): string | undefined {
  if (name.length === 0 || name.length > MAX_NAME) return `must have 1 to ${MAX_NAME} characters`;
  if (name !== name.normalize('NFC')) return 'must be in Unicode normalization form C';
  if (!isPlainText(name) || FORMAT.test(name) || hiddenIn(name) !== undefined)
    return 'must not have control or invisible characters';
  if (SPECIAL.test(name)) return 'must be a plain file name without a path';
  if (/^[ .]|[ .]$/.test(name) || DEVICE.test(name))
    return 'must not begin or end with a dot or blank, or name a device';
  if (!/\.[A-Za-z]{2,4}$/.test(name)) return 'must end with an extension';
  return undefined;
}

/** Does the extension say what the content was found to be? */
export function extensionAgrees(name: string, type: Attachment['type']): boolean {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return EXTENSIONS[type].includes(extension);
}
