import { rateLimitHeaders } from '@portcullis/limits/rate-limit-headers';
import type { CallRecord } from '../call.js';
import type { Answer } from './answer.js';
import { corsHeaders } from './cors.js';
import type { Inbound } from './inbound.js';
import type { Neighbourhood } from './origins.js';

/**
 * An answer with the headers that every answer to this request has, whatever became of it: how the limit stands that was
 * asked, the next nonce for a caller whose own is about to lapse (RFC 9449 §8.2), and that a page of an allowed origin may
 * read it, refusals included.
 */
export function dressed(
  answer: Answer,
  { record, inbound: { origin } }: { readonly record: CallRecord; readonly inbound: Inbound },
  { originAllowed }: Neighbourhood,
): Answer {
  const cors = origin !== undefined && originAllowed(origin) ? corsHeaders(origin) : undefined;
  const { dpopNonce, verdict } = record;
  if (dpopNonce === undefined && cors === undefined && verdict === undefined) return answer;
  const limits = verdict && rateLimitHeaders(verdict);
  return {
    ...answer,
    headers: { ...answer.headers, ...limits, ...(dpopNonce && { 'DPoP-Nonce': dpopNonce }), ...cors },
  };
}
