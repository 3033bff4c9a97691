import { REFUSALS, type Refusal, type RefusalCode } from '@portcullis/contract/refusals';
import { DPOP_ALGORITHMS } from './proof-key.js';

/** What the challenge says besides the refusal. */
export interface ChallengeOptions {
  /** URL of the protected resource's metadata (RFC 9728 §5.1) */
  readonly resourceMetadata?: string | undefined;
  /** scopes to ask for, when the refusal itself names none */
  readonly scopes?: readonly string[] | undefined;
  /** how the token came, when the refusal itself does not say */
  readonly scheme?: 'DPoP' | undefined;
}

const ALGS = `algs="${DPOP_ALGORITHMS.join(' ')}"`;
/** Whoever comes without a good token is told of both ways to send one (RFC 9449 §7.1, RFC 9110 §11.6.1). */
const OPEN_TO_BOTH: ReadonlySet<RefusalCode> = new Set(['token_missing', 'token_invalid']);

/**
 * The value of WWW-Authenticate for a refusal; undefined when its row asks for no challenge.
 * It begins with the scheme that the request used; Bearer comes first where it used none, as older clients read no other.
 * @see RFC 6750 §3 (error, error_description, scope), RFC 9449 §7.1 (algs), RFC 9470 §3 (max_age), RFC 9728 §5.1
 *   (resource_metadata)
 */
export function wwwAuthenticate(refusal: Refusal, options: ChallengeOptions = {}): string | undefined {
  const { oauth, says } = REFUSALS[refusal.code];
  if (oauth === null) return undefined;
  const { hint, maxAge, scopes = options.scopes ?? [], scheme = options.scheme, dpopError } = refusal.facts;
  const scope = scopes.filter((name) => SCOPE_TOKEN.test(name)).join(' ');
  const error = dpopError ?? oauth;
  const params = [
    'realm="portcullis"',
    // RFC 6750 §3: a request that carried no credentials is told no error
    ...(error === ''
      ? []
      : [`error="${error}"`, `error_description="${plain(hint === undefined ? says : `${says} ${hint}`)}"`]),
    ...(scope === '' ? [] : [`scope="${scope}"`]),
    ...(maxAge === undefined ? [] : [`max_age="${Math.trunc(maxAge)}"`]),
    ...(options.resourceMetadata === undefined ? [] : [`resource_metadata="${plain(options.resourceMetadata)}"`]),
  ].join(', ');
  if (scheme === 'DPoP' || refusal.code === 'dpop_invalid') return `DPoP ${params}, ${ALGS}`;
  return `Bearer ${params}${OPEN_TO_BOTH.has(refusal.code) ? `, DPoP realm="portcullis", ${ALGS}` : ''}`;
}

/** RFC 6750 §3: %x21 / %x23-5B / %x5D-7E */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** RFC 6750 §3: error_description is %x20-21 / %x23-5B / %x5D-7E, so quotes become apostrophes and the rest goes. */
const plain = (text: string): string => text.replaceAll('"', "'").replace(/[^\x20-\x7e]|\\/g, '');
