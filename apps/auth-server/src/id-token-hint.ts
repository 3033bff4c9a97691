import { compactVerify, decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose';
import { DEFAULT_ALGORITHM } from '@portcullis/scopes/algorithms';
import type { KeyRing } from './key-ring.js';

/**
 * Is this an id token that we gave to this client, at whatever time? oidc-provider's own check knows the keys that sign
 * and none that did.
 * @throws JOSEError when it is not
 * @see OpenID Connect Core 1.0 §3.1.2.1 and RP-Initiated Logout 1.0 §2: an expired one is as good as any
 */
export async function checkIdTokenHint(
  jwt: string,
  { ring, issuer, clientId }: { readonly ring: KeyRing; readonly issuer: string; readonly clientId: string },
): Promise<{ readonly header: object; readonly payload: JWTPayload }> {
  await compactVerify(jwt, ring.verifying, { algorithms: [DEFAULT_ALGORITHM] });
  const payload = decodeJwt(jwt);
  const audience = [payload.aud].flat();
  if (payload.iss !== issuer || !audience.includes(clientId) || typeof payload.sub !== 'string') {
    throw new errors.JWTClaimValidationFailed('it was not given to this client', payload);
  }
  return { header: decodeProtectedHeader(jwt), payload };
}
