import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** The keys could not be had. No `JOSEError`, so that token.ts sees it says nothing about the token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

export interface RemoteKeysOptions {
  readonly jwksUri: string;
  /** `fetch`, unless a test brings its own */
  readonly fetch?: typeof globalThis.fetch;
  /** ms since epoch */
  now(): number;
}

/** Keys older than this are fetched again; known ones stay good while the issuer cannot be reached, up to {@link STALE_MS}. */
const FRESH_MS = 10 * 60_000;
const STALE_MS = 60 * 60_000;
/** An unknown `kid` or a failed fetch leads to at most one fetch in this time, so that forged tokens cannot drive us. */
const COOLDOWN_MS = 5_000;
const TIMEOUT_MS = 3_000;
const MAX_BYTES = 256 * 1024;

/**
 * The issuer's signing keys, fetched when first needed, kept, and shared by all who wait for the same fetch.
 * @throws KeysUnavailable when the issuer does not answer with a key set; jose's JWKSNoMatchingKey when the set is there
 *   and lacks the key
 */
export function remoteKeys({ jwksUri, fetch = globalThis.fetch, now }: RemoteKeysOptions): JWTVerifyGetKey {
  let known: { readonly keys: JWTVerifyGetKey; readonly at: number } | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let fetching: Promise<void> | undefined;

  const refresh = (): Promise<void> =>
    (fetching ??= fetchKeySet(jwksUri, fetch)
      .then(
        (set) => {
          known = { keys: createLocalJWKSet(set), at: now() };
          failed = undefined;
        },
        (error: unknown) => {
          failed = { error, at: now() };
        },
      )
      .finally(() => {
        fetching = undefined;
      }));

  const coolingDown = (): boolean =>
    (failed !== undefined && now() - failed.at < COOLDOWN_MS) ||
    (known !== undefined && now() - known.at < COOLDOWN_MS);
  const age = (): number => (known === undefined ? Infinity : now() - known.at);

  return async (header, token) => {
    if (age() > FRESH_MS && (fetching !== undefined || !coolingDown())) await refresh();
    if (known === undefined || age() > STALE_MS)
      throw new KeysUnavailable('the issuer gives no keys', { cause: failed?.error });
    try {
      return await known.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || (fetching === undefined && coolingDown())) throw error;
      await refresh();
      return known.keys(header, token);
    }
  };
}

/** The keys of an issuer in the same process. */
export const localKeys = (jwks: JSONWebKeySet): JWTVerifyGetKey => createLocalJWKSet(jwks);

async function fetchKeySet(jwksUri: string, fetch: typeof globalThis.fetch): Promise<JSONWebKeySet> {
  const response = await fetch(jwksUri, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) throw new KeysUnavailable(`the issuer answers ${response.status}`);
  const text = await boundedText(response);
  const set = JSON.parse(text) as JSONWebKeySet;
  if (!Array.isArray(set?.keys) || set.keys.length === 0) throw new KeysUnavailable('the issuer answers no key set');
  return set;
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new KeysUnavailable('the key set is too large');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
