import { createHash } from 'node:crypto';

const OURS = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;
const LONGEST = 36;
/** Of so many characters in a row a part is random rather than a word of a name. */
const RANDOM = /[a-z0-9]{16,}/;

/**
 * What a request calls its client, before anybody knows of such a client, as it may be written down: whoever mixes up two
 * fields sends a secret, a code or a token here. What looks like an id of ours stays; else the first 16 hex digits of
 * its SHA-256 stand for it, by which the same can be told to have come again.
 */
export const claimedClient = (text: string): string =>
  text.length <= LONGEST && OURS.test(text) && !RANDOM.test(text)
    ? text
    : `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
