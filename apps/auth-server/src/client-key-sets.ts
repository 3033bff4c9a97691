import type { Log } from '@portcullis/contract/log';
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { errors } from 'oidc-provider';
import { assertionAlgOf, publicJwk } from './client-keys.js';

export interface ClientKeySetPorts {
  /** `fetchOutside` of libs/service: a client's own URL is never asked in another way */
  readonly fetchOutside: (
    url: string,
    init: { readonly accept: string; readonly json: boolean; readonly timeoutMs: number; readonly owner: string },
  ) => Promise<Response>;
  readonly log: Log;
  /** ms since epoch */
  now(): number;
}

/** The keys that clients serve at their `jwks_uri` (RFC 7591 §2). */
export interface ClientKeySets {
  /**
   * What oidc-provider fetches with. It knows of key sets only, and those come from here.
   * @param tenant of the client: the servers of one tenant's clients keep each other waiting, and nobody else's
   */
  fetch(tenant: string, url: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * Holds an assertion against the keys that its client serves now: oidc-provider goes on with those it once saw.
   * @throws errors.InvalidClientAuth
   */
  expectSigned(tenant: string, assertion: string, jwksUri: string): Promise<void>;
}

/** So long a set is good without asking; what a client takes down is refused after it. */
const FRESH_MS = 60_000;
/** A set that lacks a key is asked for again no sooner, so that forged assertions cannot drive us. */
const UNKNOWN_COOLDOWN_MS = 5_000;
/** A failed fetch is not repeated sooner. */
const FAILED_COOLDOWN_MS = 5_000;
/** So long known keys stay good while the client's server cannot be asked. */
const STALE_MS = 60 * 60_000;
const TIMEOUT_MS = 2_000;
/** Sets in memory. The oldest goes first; it is fetched again when somebody needs it. */
const MOST_SETS = 1_000;
/** Each costs a signature check per assertion without `kid`. */
const MOST_KEYS = 20;

interface Known {
  readonly keys: readonly JWK[];
  readonly at: number;
}
interface Entry {
  known?: Known;
  failed?: { readonly at: number; readonly error: unknown };
  fetching?: Promise<readonly JWK[]> | undefined;
}

export function clientKeySets({ fetchOutside, log, now }: ClientKeySetPorts): ClientKeySets {
  const entries = new Map<string, Entry>();
  /** ms; a clock that stepped back tells nothing, so then it is long ago */
  const since = (event: { readonly at: number } | undefined): number => {
    const age = event === undefined ? Infinity : now() - event.at;
    return age < 0 ? Infinity : age;
  };
  const entryOf = (uri: string): Entry => {
    const entry = entries.get(uri) ?? {};
    entries.delete(uri);
    entries.set(uri, entry);
    const [oldest] = entries.keys();
    if (entries.size > MOST_SETS && oldest !== undefined) entries.delete(oldest);
    return entry;
  };

  const load = async (tenant: string, uri: string, entry: Entry): Promise<readonly JWK[]> => {
    try {
      const keys = keysIn(await fetchKeySet(tenant, uri));
      entry.known = { keys, at: now() };
      delete entry.failed;
      return keys;
    } catch (error) {
      entry.failed = { at: now(), error };
      log.warn('the keys of a client cannot be fetched', { error });
      throw error;
    } finally {
      entry.fetching = undefined;
    }
  };
  const fetchKeySet = async (owner: string, uri: string): Promise<unknown> => {
    const accept = 'application/jwk-set+json, application/json';
    const response = await fetchOutside(uri, { accept, json: true, timeoutMs: TIMEOUT_MS, owner });
    if (response.status !== 200) throw new Error(`a client's jwks_uri answers ${response.status}`);
    return response.json();
  };

  const keysAt = async (tenant: string, uri: string, maxAgeMs: number): Promise<readonly JWK[]> => {
    const entry = entryOf(uri);
    const { known, failed } = entry;
    if (known && since(known) < maxAgeMs) return known.keys;
    try {
      if (entry.fetching === undefined && since(failed) < FAILED_COOLDOWN_MS) throw failed?.error;
      return await (entry.fetching ??= load(tenant, uri, entry));
    } catch (error) {
      if (known && since(known) < STALE_MS) return known.keys;
      throw error;
    }
  };

  return {
    async fetch(tenant, url, { method = 'GET' } = {}) {
      if (method !== 'GET') throw new Error('oidc-provider may fetch key sets only');
      const uri = url instanceof Request ? url.url : String(url);
      return Response.json({ keys: await keysAt(tenant, uri, UNKNOWN_COOLDOWN_MS) });
    },
    async expectSigned(tenant, assertion, jwksUri) {
      const { alg, kid } = decodeProtectedHeader(assertion);
      const keys = await keysAt(tenant, jwksUri, FRESH_MS).catch((cause: unknown) =>
        refuse('its keys cannot be had', cause),
      );
      const fitting = keys.filter((key) => key.alg === alg && (kid === undefined || key.kid === kid));
      for (const key of fitting) if (await fits(assertion, key)) return;
      refuse('its key is no longer among those of the client');
    },
  };
}

/** Keys of kinds and sizes that we would register (see client-keys.ts), each with its one algorithm; others are left out. */
function keysIn(content: unknown): readonly JWK[] {
  const { keys } = (content ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("a client's jwks_uri answers no key set");
  if (keys.length > MOST_KEYS) throw new Error(`a client's key set has more than ${MOST_KEYS} keys`);
  return keys.flatMap((key): JWK[] => {
    const known = publicJwk.safeParse(key);
    return known.success ? [{ ...known.data, alg: assertionAlgOf(known.data), use: 'sig' } as JWK] : [];
  });
}

const fits = async (assertion: string, key: JWK): Promise<boolean> => {
  try {
    await compactVerify(assertion, await importJWK(key, key.alg), { algorithms: [String(key.alg)] });
    return true;
  } catch {
    return false;
  }
};

function refuse(detail: string, cause?: unknown): never {
  const error = new errors.InvalidClientAuth(`client_assertion: ${detail}`);
  throw cause === undefined ? error : Object.assign(error, { cause });
}
