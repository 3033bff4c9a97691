import { Refusal } from '@portcullis/contract/refusals';
import { fetchInside } from '@portcullis/service/fetch-inside.http';
import { issuerMetadataUrl } from '@portcullis/guard/mcp/metadata';

const FRESH_MS = 5 * 60_000;

/**
 * The issuer's own metadata, for clients of 2025-03-26, which look for it at the MCP origin. Fetched when first asked
 * for, kept for five minutes, shared by all who wait.
 * @throws Refusal overloaded when the issuer does not answer with metadata of its own
 */
export function issuerMirror(issuer: string, now: () => number): () => Promise<object> {
  let kept: { readonly metadata: object; readonly at: number } | undefined;
  let fetching: Promise<object> | undefined;

  const fetchIt = async (): Promise<object> => {
    try {
      const response = await fetchInside(issuerMetadataUrl(issuer), { headers: { accept: 'application/json' } });
      const metadata = (await response.json()) as { issuer?: unknown } | null;
      // RFC 8414 §3.3: metadata of another issuer must not be used
      if (response.status !== 200 || metadata?.issuer !== issuer) throw new Error('not the metadata of the issuer');
      kept = { metadata, at: now() };
      return metadata;
    } catch (error) {
      throw new Refusal('overloaded', { retryAfterMs: 1000 }, { cause: error });
    } finally {
      fetching = undefined;
    }
  };

  return async () => (kept && now() - kept.at < FRESH_MS ? kept.metadata : (fetching ??= fetchIt()));
}
