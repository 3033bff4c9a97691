import { DPOP_ALGORITHMS, type DpopAlgorithm } from '../proof-key.js';
import type { AnyTool, Effect } from '../tool.js';

/** @see RFC 9728 §2 */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly dpop_signing_alg_values_supported: readonly DpopAlgorithm[];
  /** false: whether a token is bound to a key is for the client's record to say, and what it says is held to */
  readonly dpop_bound_access_tokens_required: false;
  readonly resource_name: string;
}

export const resourceMetadata = (
  resource: string,
  issuer: string,
  tools: ReadonlyMap<string, AnyTool>,
  name: string,
): ResourceMetadata => ({
  resource,
  authorization_servers: [issuer],
  scopes_supported: firstScopes(tools),
  bearer_methods_supported: ['header'],
  dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
  dpop_bound_access_tokens_required: false,
  resource_name: name,
});

const MILD: ReadonlySet<Effect> = new Set(['none', 'reads-pii', 'reads-untrusted']);

/**
 * What a client should ask for before it knows better: the scopes of tools that only read or compute, not in bulk, and are
 * not `onDemand`. Everything else is asked for when an operation needs it (MCP 2026-07-28, security best practices, scope
 * minimization).
 */
export const firstScopes = (tools: ReadonlyMap<string, AnyTool>): string[] => [
  ...new Set(
    [...tools.values()]
      .filter(({ effects, onDemand }) => !onDemand && effects.every((effect) => MILD.has(effect)))
      .flatMap((tool) => tool.scopes),
  ),
];

/** Where a resource's metadata lies: the well-known path before its own (RFC 9728 §3.1). */
export function resourceMetadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`;
}

/** Where an issuer's metadata lies (RFC 8414 §3.1). */
export function issuerMetadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`;
}
