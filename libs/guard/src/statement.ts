import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import {
  SIGNED_TOPICS,
  STATEMENT_TYPE,
  statementSchema,
  type SignedTopic,
  type PassedOver,
  type Signer,
  type Statement,
} from '@portcullis/contract/containment';
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose';
import type { SigningKeys } from './token.js';

/** Signs for one service. */
export interface StatementSigner {
  readonly signer: Signer;
  /** what its statements are verified with */
  readonly jwks: JSONWebKeySet;
  /** the same, ready to verify */
  readonly keys: SigningKeys;
  /** @returns a compact JWS */
  sign(topic: SignedTopic, key: string, seq: number, body: unknown): string;
}

/** RFC 8410 §7: a PKCS #8 structure around the 32 bytes of an Ed25519 key. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const HEADER = { alg: 'EdDSA', typ: STATEMENT_TYPE };

/**
 * @param seeds Ed25519 private keys of 32 bytes each: the first signs, all are published, so that a rotation first brings
 *   the new key beside the old one and then puts it before it
 * @see RFC 8037 §3.1
 */
export function statementSigner(signer: Signer, seeds: readonly [Uint8Array, ...Uint8Array[]]): StatementSigner {
  const pairs = seeds.map(keyPair);
  const { privateKey, jwk } = pairs[0]!;
  const header = base64url(JSON.stringify({ ...HEADER, kid: jwk.kid }));
  const jwks = { keys: pairs.map(({ jwk: each }) => each) };
  return {
    signer,
    jwks,
    keys: createLocalJWKSet(jwks),
    sign(topic, key, seq, body) {
      const statement: Statement = { signer, topic, key, seq, body };
      const input = `${header}.${base64url(JSON.stringify(statement))}`;
      return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
    },
  };
}

/**
 * What a message says, if it says it rightly.
 * @param keys of the topic's signer
 * @returns the statement, or why the message is passed over
 * @throws KeysUnavailable when the keys cannot be had now, which says nothing about the message
 */
export async function readStatement(
  topic: SignedTopic,
  { key, value }: { readonly key: string; readonly value: string },
  keys: SigningKeys,
): Promise<Statement | PassedOver> {
  if (value.length > SIGNED_TOPICS[topic].mostCharacters) return 'unsigned';
  let payload: Uint8Array;
  try {
    const verified = await compactVerify(value, keys as Parameters<typeof compactVerify>[1], { algorithms: ['EdDSA'] });
    if (verified.protectedHeader.typ !== STATEMENT_TYPE) return 'unsigned';
    payload = verified.payload;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'unknown_key';
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad_signature';
    if (error instanceof errors.JOSEError || error instanceof TypeError) return 'unsigned';
    throw error;
  }
  const parsed = statementSchema.safeParse(jsonOf(payload));
  if (!parsed.success) return 'not_understood';
  const { signer, topic: saidOn, key: saidOf } = parsed.data;
  const placed = signer === SIGNED_TOPICS[topic].signer && saidOn === topic && saidOf === key;
  return placed ? parsed.data : 'misplaced';
}

function keyPair(seed: Uint8Array) {
  if (seed.length !== 32) throw new RangeError('an Ed25519 key is 32 bytes');
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, jwk: publicKeyOf(x) };
}

/** @param x the 32 bytes of an Ed25519 public key, base64url (RFC 8037 §2) */
export function publicKeyOf(x: string) {
  // RFC 7638 §3: the thumbprint of the members that are required, in the order of their names
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' } satisfies JWK;
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
