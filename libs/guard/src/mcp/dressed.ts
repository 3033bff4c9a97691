import type { CallRecord } from '../call.js';
import type { Answer } from './answer.js';
import { corsHeaders } from './cors.js';
import type { Inbound } from './inbound.js';
import type { Neighbourhood } from './origins.js';

/**
 * An answer with the headers that every answer to this request has, whatever became of it: a caller whose nonce is about to
 * lapse gets the next one (RFC 9449 §8.2), and a page of an allowed origin may read it, refusals included.
 */
export function dressed(
  answer: Answer,
  { record: { dpopNonce }, inbound: { origin } }: { readonly record: CallRecord; readonly inbound: Inbound },
  { originAllowed }: Neighbourhood,
): Answer {
  const cors = origin !== undefined && originAllowed(origin) ? corsHeaders(origin) : undefined;
  if (dpopNonce === undefined && cors === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, ...(dpopNonce && { 'DPoP-Nonce': dpopNonce }), ...cors } };
}
