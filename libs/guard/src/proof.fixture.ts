import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { proofJwk, thumbprint } from './proof-key.js';

/** A key of a client, which makes proofs as RFC 9449 §4.2 asks. */
export interface ProofKey {
  readonly alg: string;
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
  /** RFC 9449 §6.1 */
  readonly jkt: string;
}

export async function proofKey(alg: 'ES256' | 'EdDSA' | 'Ed25519' | 'RS256' = 'ES256'): Promise<ProofKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { alg, jwk, privateKey, jkt: thumbprint(proofJwk(alg, jwk)!) };
}

let made = 0;

/** What a proof is made for; `claims` and `header` overwrite, undefined takes out. */
export interface ProofWords {
  readonly htm?: string;
  readonly htu: string;
  readonly token?: string;
  readonly nonce?: string | undefined;
  /** ms since epoch */
  readonly now?: number;
  readonly claims?: JWTPayload & Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

export function proofBy(
  { alg, jwk, privateKey }: ProofKey,
  { htm = 'POST', htu, token, nonce, now = Date.now(), claims, header }: ProofWords,
): Promise<string> {
  const whole = {
    jti: `proof-${++made}-${Math.random()}`,
    htm,
    htu,
    iat: Math.floor(now / 1000),
    ath: token && createHash('sha256').update(token).digest('base64url'),
    nonce,
    ...claims,
  };
  const given = (values: object) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  return new SignJWT(given(whole))
    .setProtectedHeader(given({ alg, typ: 'dpop+jwt', jwk, ...header }) as never)
    .sign(privateKey, { crit: { x: true } });
}
