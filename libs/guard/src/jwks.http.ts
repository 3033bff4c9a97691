import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';
import type { SigningKeys } from './token.js';

/** The keys could not be had. No `JOSEError`, so that token.ts sees it says nothing about the token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

export interface RemoteKeysOptions {
  /** asked before each fetch where it has to be looked up (issuer-metadata.http.ts) */
  readonly jwksUri: string | (() => Promise<string>);
  /** `fetch`, unless a test brings its own */
  readonly fetch?: typeof globalThis.fetch;
  /** ms since epoch */
  now(): number;
}

/**
 * Keys older than this are fetched again, and nobody waits for that. Less than the five minutes that a key is published
 * before it signs, so that a server with traffic knows each key before its first token.
 */
const YOUNG_MS = 4 * 60_000;
/** Keys older than this are not used before they were fetched again, so that a withdrawn key stops working. */
const FRESH_MS = 10 * 60_000;
/** So long known keys stay good while the issuer cannot be reached. */
const STALE_MS = 60 * 60_000;
/** Who has just seen that the issuer cannot be reached does not make every call wait to see it again. */
const AWAY_MS = 60_000;
/**
 * An unknown `kid` leads to at most one fetch in this time, so that forged tokens cannot drive us. While fetches fail,
 * FAILED_COOLDOWN_MS alone counts.
 */
export const UNKNOWN_COOLDOWN_MS = 5_000;
/** A failed fetch is not repeated sooner. */
const FAILED_COOLDOWN_MS = 1_000;
export const TIMEOUT_MS = 3_000;
const MAX_BYTES = 256 * 1024;

interface KeySet {
  readonly keys: JWTVerifyGetKey;
  /** each key as text, to see which are gone */
  readonly texts: ReadonlySet<string>;
  readonly at: number;
}

/**
 * The issuer's signing keys, fetched when first needed, kept, and shared by all who wait for the same fetch. Requests drive
 * the refresh and do not wait for it, so a server without traffic asks nobody; the first request after such a time waits.
 * @throws KeysUnavailable when the issuer gives no key set; jose's JWKSNoMatchingKey when the newest set lacks the key
 */
export function remoteKeys({ jwksUri, fetch = globalThis.fetch, now }: RemoteKeysOptions): SigningKeys {
  let known: KeySet | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let fetching: Promise<void> | undefined;
  let withdrawals = 0;

  const take = (set: JSONWebKeySet): void => {
    const next = { keys: createLocalJWKSet(set), texts: new Set(set.keys.map(textOf)), at: now() };
    for (const text of known?.texts ?? []) if (!next.texts.has(text)) withdrawals += 1;
    known = next;
    failed = undefined;
  };
  const refresh = (): Promise<void> =>
    (fetching ??= fetchKeySet(jwksUri, fetch)
      .then(take)
      .catch((error: unknown) => {
        failed = { error, at: now() };
      })
      .finally(() => {
        fetching = undefined;
      }));
  /** ms; a clock that stepped back tells nothing, so then it is long ago */
  const since = (event: { readonly at: number } | undefined): number => {
    const age = event === undefined ? Infinity : now() - event.at;
    return age < 0 ? Infinity : age;
  };
  /** Joins a fetch under way, or starts one unless the last one was just now. */
  const mayRefresh = (cooldown: number): boolean =>
    fetching !== undefined || (since(failed) >= FAILED_COOLDOWN_MS && since(known) >= cooldown);

  const fresh = (): Promise<void> | undefined => {
    const age = since(known);
    if (age <= YOUNG_MS) return undefined;
    const refreshed = mayRefresh(0) ? refresh() : Promise.resolve();
    if (age <= FRESH_MS || (age <= STALE_MS && since(failed) <= AWAY_MS)) return undefined;
    return refreshed.then(() => {
      if (since(known) > STALE_MS) throw unavailable(failed?.error);
    });
  };

  const keyFor: JWTVerifyGetKey = async (header, token) => {
    await fresh();
    if (known === undefined) throw unavailable(failed?.error);
    try {
      return await known.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (mayRefresh(UNKNOWN_COOLDOWN_MS)) await refresh();
      // the key may be a new one that we could not get to see
      if (failed !== undefined) throw unavailable(failed.error);
      return known.keys(header, token);
    }
  };
  return Object.assign(keyFor, { fresh, withdrawals: () => withdrawals });
}

/** The members of a key in the order of their names, as issuers may write them in any. */
const textOf = (key: JWK): string => JSON.stringify(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The keys of an issuer in the same process. */
export const localKeys = (jwks: JSONWebKeySet): SigningKeys =>
  Object.assign(createLocalJWKSet(jwks), { withdrawals: () => 0 });

const unavailable = (cause: unknown): KeysUnavailable => new KeysUnavailable('the issuer gives no keys', { cause });

async function fetchKeySet(
  jwksUri: RemoteKeysOptions['jwksUri'],
  fetch: typeof globalThis.fetch,
): Promise<JSONWebKeySet> {
  const response = await fetch(typeof jwksUri === 'string' ? jwksUri : await jwksUri(), {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) throw new KeysUnavailable(`the issuer answers ${response.status}`);
  const set = JSON.parse(await boundedText(response)) as JSONWebKeySet;
  if (!Array.isArray(set?.keys) || set.keys.length === 0) throw new KeysUnavailable('the issuer answers no key set');
  return set;
}

/** @throws KeysUnavailable for more than 256 KiB */
export async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new KeysUnavailable('the answer is too large');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
