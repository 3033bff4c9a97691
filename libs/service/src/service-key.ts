import { createPrivateKey } from 'node:crypto';
import { Secret } from '@portcullis/contract/secret';
import * as z from 'zod';
import { secretSetting } from './setting.js';

const part = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const kid = z.string().min(1).max(255).optional();
const privateJwk = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: part, y: part, d: part, kid }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: part, d: part, kid }),
]);

/** The private key by which a service proves who it is, and what it signs with. */
export interface ServiceKey {
  readonly jwk: z.output<typeof privateJwk>;
  readonly alg: 'ES256' | 'EdDSA';
}

const SAYS = 'must be one private key as JWK (JSON) for ES256 (P-256) or EdDSA (Ed25519)';

/** @throws Error for a text that is no such key; its message does not show the text */
export function serviceKeyOf(text: string): ServiceKey {
  const jwk = parsed(text);
  if (jwk === undefined) throw new Error(`the key of the service ${SAYS}`);
  return { jwk, alg: jwk.kty === 'EC' ? 'ES256' : 'EdDSA' };
}

/** SERVICE_KEY: such a key, kept as its text, which does not print itself. */
export const serviceKeySetting = () =>
  secretSetting().refine((secret: Secret) => parsed(secret.reveal()) !== undefined, SAYS);

function parsed(text: string): ServiceKey['jwk'] | undefined {
  try {
    const jwk = privateJwk.parse(JSON.parse(text));
    // the parts may be well formed and yet no key
    createPrivateKey({ key: jwk, format: 'jwk' });
    return jwk;
  } catch {
    return undefined;
  }
}
