import * as z from 'zod';
import { jsonOf, type Question, type Reply } from './ask.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

/** A client-credentials request that proves a private key. @see RFC 7523 §2.2, RFC 8707 §2 */
export const withAssertion = (assertion: string, resource: string, scopes: readonly string[]): Question => ({
  method: 'POST',
  headers: FORM,
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    resource,
    scope: scopes.join(' '),
  }).toString(),
});

/**
 * A client-credentials request with a secret, as agents send it; with a proof the token is bound to its key.
 * @see RFC 6749 §2.3.1 (both halves form-encoded), RFC 9449 §5
 */
export const withSecret = (
  client: { readonly id: string; readonly secret: string },
  resource: string,
  scopes: readonly string[],
  proof?: string,
): Question => ({
  method: 'POST',
  headers: {
    ...FORM,
    authorization: `Basic ${btoa(`${formEncoded(client.id)}:${formEncoded(client.secret)}`)}`,
    ...(proof !== undefined && { dpop: proof }),
  },
  body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: scopes.join(' ') }).toString(),
});
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

const granted = z.object({ access_token: z.string(), expires_in: z.number(), scope: z.string().optional() });
const refused = z.object({ error: z.string(), error_description: z.string().optional() });

/** What a token endpoint answered. */
export type TokenAnswer =
  | { readonly token: string; readonly expiresInSeconds: number; readonly scope: string | undefined }
  | { readonly token: undefined; readonly http: number; readonly error: string; readonly says: string | undefined };

export function tokenAnswer(reply: Reply): TokenAnswer {
  const body = jsonOf(reply);
  const yes = granted.safeParse(body);
  if (reply.status === 200 && yes.success) {
    return { token: yes.data.access_token, expiresInSeconds: yes.data.expires_in, scope: yes.data.scope };
  }
  const no = refused.safeParse(body);
  const { error, error_description } = no.success
    ? no.data
    : { error: 'unreadable_answer', error_description: undefined };
  return { token: undefined, http: reply.status, error, says: error_description };
}
