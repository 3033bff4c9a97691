import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Reply } from './ask.js';

/** A key of a client, and the nonces that servers gave for it. */
export interface Prover {
  /**
   * A DPoP proof for one POST. @param token the access token that goes with it; none at the token endpoint
   * @see RFC 9449 §4.2
   */
  proof(url: string, token?: string): Promise<string>;
  /** Keeps the nonce of an answer for the next proof. @returns whether there was one (RFC 9449 §8.2) */
  heard(url: string, reply: Pick<Reply, 'header'>): boolean;
}

export interface ProverPorts {
  /** fresh and random, since a server takes each once */
  randomWord(): string;
  /** ms since epoch */
  now(): number;
}

/** A new ES256 key, which is nowhere but in this process. */
export async function newProver({ randomWord, now }: ProverPorts): Promise<Prover> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const nonces = new Map<string, string>();
  return {
    proof(url, token) {
      const nonce = nonces.get(new URL(url).origin);
      return new SignJWT({
        jti: randomWord(),
        htm: 'POST',
        htu: url,
        ...(token !== undefined && { ath: createHash('sha256').update(token).digest('base64url') }),
        ...(nonce !== undefined && { nonce }),
      })
        .setIssuedAt(Math.floor(now() / 1000))
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(privateKey);
    },
    heard(url, reply) {
      const nonce = reply.header('dpop-nonce');
      if (nonce !== undefined) nonces.set(new URL(url).origin, nonce);
      return nonce !== undefined;
    },
  };
}
