import { REFUSALS, type Refusal } from '@portcullis/contract/refusals';

/** What the challenge says besides the refusal. */
export interface ChallengeOptions {
  /** URL of the protected resource's metadata (RFC 9728 §5.1) */
  readonly resourceMetadata?: string | undefined;
  /** scopes to ask for, when the refusal itself names none */
  readonly scopes?: readonly string[] | undefined;
}

/**
 * The value of WWW-Authenticate for a refusal; undefined when its row asks for no challenge.
 * @see RFC 6750 §3 (error, error_description, scope), RFC 9470 §3 (max_age), RFC 9728 §5.1 (resource_metadata)
 */
export function wwwAuthenticate(refusal: Refusal, options: ChallengeOptions = {}): string | undefined {
  const { oauth, says } = REFUSALS[refusal.code];
  if (oauth === null) return undefined;
  const { hint, maxAge, scopes = options.scopes ?? [] } = refusal.facts;
  const scope = scopes.filter((name) => SCOPE_TOKEN.test(name)).join(' ');
  return `Bearer ${[
    'realm="portcullis"',
    // RFC 6750 §3: a request that carried no credentials is told no error
    ...(oauth === ''
      ? []
      : [`error="${oauth}"`, `error_description="${plain(hint === undefined ? says : `${says} ${hint}`)}"`]),
    ...(scope === '' ? [] : [`scope="${scope}"`]),
    ...(maxAge === undefined ? [] : [`max_age="${Math.trunc(maxAge)}"`]),
    ...(options.resourceMetadata === undefined ? [] : [`resource_metadata="${plain(options.resourceMetadata)}"`]),
  ].join(', ')}`;
}

/** RFC 6750 §3: %x21 / %x23-5B / %x5D-7E */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** RFC 6750 §3: error_description is %x20-21 / %x23-5B / %x5D-7E, so quotes become apostrophes and the rest goes. */
const plain = (text: string): string => text.replaceAll('"', "'").replace(/[^\x20-\x7e]|\\/g, '');
