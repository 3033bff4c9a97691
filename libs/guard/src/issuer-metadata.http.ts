import { boundedText, KeysUnavailable, TIMEOUT_MS } from './jwks.http.js';
import { issuerMetadataUrl } from './mcp/metadata.js';

/** Where an issuer's metadata may lie: RFC 8414 §3.1, then OpenID Connect Discovery 1.0 §4. */
const metadataUrls = (issuer: string): string[] => [
  issuerMetadataUrl(issuer),
  `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
];

/**
 * Looks up where an issuer says that its keys lie, each time it is asked: who keeps keys asks rarely, and an issuer may move.
 * @throws KeysUnavailable when the issuer has no metadata of its own, or names keys that lie on plain http elsewhere
 */
export const jwksUriOf =
  (issuer: string, fetch: typeof globalThis.fetch = globalThis.fetch): (() => Promise<string>) =>
  async () => {
    let last: unknown;
    for (const url of metadataUrls(issuer)) {
      try {
        return await namedIn(url, issuer, fetch);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };

async function namedIn(url: string, issuer: string, fetch: typeof globalThis.fetch): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) throw new KeysUnavailable(`the issuer answers ${response.status}`);
  const metadata = JSON.parse(await boundedText(response)) as { issuer?: unknown; jwks_uri?: unknown } | null;
  // RFC 8414 §3.3: metadata of another issuer must not be used
  if (metadata?.issuer !== issuer) throw new KeysUnavailable('the metadata is not of this issuer');
  const { jwks_uri: uri } = metadata;
  const parsed = typeof uri === 'string' ? URL.parse(uri) : null;
  // keys from plain http are anybody's; only an issuer that is itself asked over http (on this machine) may have them there
  const origin = new URL(issuer).origin;
  if (parsed === null || (parsed.protocol !== 'https:' && parsed.origin !== origin))
    throw new KeysUnavailable('the metadata names no key set over https');
  return parsed.href;
}
