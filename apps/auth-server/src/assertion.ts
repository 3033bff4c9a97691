import { errors } from 'oidc-provider';

/** Seconds an assertion may live at most. The MCP SDK's live 300, the command line tool's 60. */
const LONGEST = 600;
/** Seconds two clocks may differ. */
const SKEW = 30;

/**
 * What we ask of a private_key_jwt assertion beyond signature, issuer, audience, expiry and its one use, which
 * oidc-provider checks (RFC 7523 §3).
 * @param now seconds since epoch
 * @throws errors.InvalidClientAuth
 */
export function checkAssertion(claims: Readonly<Record<string, unknown>>, now: number): void {
  const { exp, iat, aud, jti } = claims;
  if (typeof exp !== 'number' || exp > now + LONGEST + SKEW) refuse(`exp is more than ${LONGEST} s away`);
  if (iat !== undefined && (typeof iat !== 'number' || iat > now + SKEW)) refuse('iat is in the future');
  // whoever else is named could have taken the assertion from us or we from them
  if (Array.isArray(aud) && aud.length !== 1) refuse('aud names others too');
  if (typeof jti !== 'string' || jti.length > 255) refuse('jti is longer than 255 characters');
}

function refuse(detail: string): never {
  throw new errors.InvalidClientAuth(`client_assertion: ${detail}`);
}
