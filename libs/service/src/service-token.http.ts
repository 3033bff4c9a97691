import { randomUUID } from 'node:crypto';
import { Secret } from '@portcullis/contract/secret';
import { importJWK, SignJWT } from 'jose';
import * as z from 'zod';
import type { fetchInside } from './fetch-inside.http.js';
import { serviceKeyOf } from './service-key.js';

export interface ServiceTokenOptions {
  /** the authorization server, whose token endpoint is `ISSUER/token` */
  readonly issuer: string;
  /** the one API that the tokens are for (RFC 8707) */
  readonly resource: string;
  /** what they must be good for there, separated by blanks */
  readonly scope: string;
  readonly clientId: string;
  /** its private key, see service-key.ts */
  readonly key: Secret;
  readonly fetch: typeof fetchInside;
  /** ms since epoch */
  now(): number;
}

/** Access tokens of a service of ours for another one. */
export interface ServiceTokens {
  /** The present one, at once where there is one. @throws ServiceTokenUnavailable */
  token(): Secret | Promise<Secret>;
  /**
   * Its resource did not take it: another one is fetched, unless it was fetched just now, so that a second one is no better.
   * @returns true when {@link token} gives another one, or tries to
   */
  refused(token: Secret): boolean;
}

/** The authorization server gives no token. The message says what it answered in one word, never with what it was asked. */
export class ServiceTokenUnavailable extends Error {
  override readonly name = 'ServiceTokenUnavailable';
}

interface Held {
  readonly token: Secret;
  /** ms: when it was asked for */
  readonly at: number;
  readonly lifeMs: number;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_SECONDS = 60;
const TIMEOUT_MS = 3_000;
const MAX_BYTES = 64 * 1024;
/** A fetch that failed is not repeated sooner, nor a token that was refused fetched anew. */
const COOLDOWN_MS = 1_000;
/** A token is used no longer than until so long before its end, or a tenth of its life where that is shorter. */
const MARGIN_MS = 30_000;
/** From then on another one is fetched, while this one is used. */
const OLD = 3 / 4;

/**
 * Fetches tokens by client_credentials with an assertion of the service's key (RFC 7523 §2.2), when they are first asked
 * for, and keeps the present one. Whoever asks while one is fetched waits for that one.
 * @throws Error for a key that is none
 */
export function serviceTokens(options: ServiceTokenOptions): ServiceTokens {
  const { now } = options;
  const ask = asking(options);
  let held: Held | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let fetching: Promise<Secret> | undefined;

  /** ms; after a clock was turned back it is long ago */
  const since = (event: { readonly at: number } | undefined): number => {
    const age = event === undefined ? Infinity : now() - event.at;
    return age < 0 ? Infinity : age;
  };
  const fetchNext = (): Promise<Secret> =>
    (fetching ??= ask()
      .then(
        (next) => {
          held = next;
          failed = undefined;
          return next.token;
        },
        (error: unknown) => {
          failed = { error, at: now() };
          throw error;
        },
      )
      .finally(() => {
        fetching = undefined;
      }));

  return {
    token() {
      const age = since(held);
      if (held !== undefined && age < held.lifeMs - Math.min(MARGIN_MS, held.lifeMs / 10)) {
        // who needs it next says if this failed for good
        if (age >= held.lifeMs * OLD && since(failed) >= COOLDOWN_MS) fetchNext().catch(() => undefined);
        return held.token;
      }
      if (fetching === undefined && since(failed) < COOLDOWN_MS) return Promise.reject(failed?.error);
      return fetchNext();
    },
    refused(token) {
      if (held?.token === token && since(held) >= COOLDOWN_MS) held = undefined;
      return held?.token !== token;
    },
  };
}

const answer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  token_type: z.string(),
  expires_in: z.number().positive().max(86_400),
  scope: z.string().optional(),
});

/** Asks for one token. */
function asking({ issuer, resource, scope, clientId, key, fetch, now }: ServiceTokenOptions): () => Promise<Held> {
  const { jwk, alg } = serviceKeyOf(key.reveal());
  const imported = importJWK(jwk, alg);
  const header = { alg, ...(jwk.kid !== undefined && { kid: jwk.kid }) };
  const failure = (says: string, cause?: unknown): ServiceTokenUnavailable =>
    new ServiceTokenUnavailable(`${clientId} gets no token for ${resource}: ${says}`, { cause });

  return async () => {
    const at = now();
    const seconds = Math.floor(at / 1000);
    const claims = { iss: clientId, sub: clientId, aud: issuer, jti: randomUUID() };
    const assertion = await new SignJWT({ ...claims, iat: seconds, exp: seconds + ASSERTION_SECONDS })
      .setProtectedHeader(header)
      .sign(await imported);
    const form = { grant_type: 'client_credentials', resource, scope, client_id: clientId };
    const asked = { ...form, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
    const bounds = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES };
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams(asked),
      ...bounds,
    }).catch((error: unknown) => {
      throw failure('the authorization server cannot be reached', error);
    });
    const body: unknown = await response.json().catch(() => undefined);
    if (response.status !== 200) throw failure(refusalIn(response.status, body));
    const { data } = answer.safeParse(body);
    if (data === undefined) throw failure('the answer holds none');
    if (data.token_type.toLowerCase() !== 'bearer') throw failure(WANTS_BEARER);
    const granted = new Set((data.scope ?? scope).split(' '));
    if (scope.split(' ').some((wanted) => !granted.has(wanted))) throw failure(`it grants less than ${scope}`);
    return { token: new Secret(data.access_token), at, lifeMs: data.expires_in * 1000 };
  };
}

const WANTS_BEARER = 'its record must say that it has bearer tokens (client add --bearer)';

/** The status, and the code of RFC 6749 §5.2 where the answer has one; nothing else of what was answered. */
function refusalIn(status: number, body: unknown): string {
  const code = (body as { error?: unknown } | null | undefined)?.error;
  const named = typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : undefined;
  return `${status}${named === undefined ? '' : ` ${named}`}${named === 'invalid_dpop_proof' ? `; ${WANTS_BEARER}` : ''}`;
}
