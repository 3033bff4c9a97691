import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { authEvent } from './audit.js';
import { tenantOf } from './client-metadata.js';
import { keptFirst, notedErrors, reasonOf, whoAsked, type OAuthError } from './endpoint-audit.js';
import { countFailure, isUnrecorded, revokesTooMuch, type EndpointLimitPorts } from './endpoint-limits.js';
import { introspection, type IntrospectionPorts } from './introspection-endpoint.js';
import { revokeShown } from './revocation-endpoint.js';
import type { Revoke } from './revoking.js';
import { shownToken, type ShownTokenPorts } from './shown-token.js';

export interface ShownTokenEndpointsPorts extends ShownTokenPorts, IntrospectionPorts {
  readonly revoke: Revoke;
  readonly events: EventLog;
  readonly log: Log;
  readonly limits: EndpointLimitPorts;
  /** the caller's address */
  addressOf(request: KoaContextWithOIDC['req']): string;
}

/**
 * /revoke and /introspect. oidc-provider authenticates the client and checks the request; it refuses tokens that are JWTs
 * (`unsupported_token_type`, its last check) and was told to leave stored ones alone (shown-token.ts), so what happens to
 * a token is decided here. One event for every answer, kept before the answer leaves.
 */
export function serveShownTokens(provider: Provider, ports: ShownTokenEndpointsPorts): void {
  const { events, log, limits, now } = ports;
  const errorOf = notedErrors(provider, 'revocation.error', 'introspection.error');
  const answer = async (ctx: KoaContextWithOIDC, route: 'revocation' | 'introspection'): Promise<void> => {
    const address = ports.addressOf(ctx.req).slice(0, 64);
    const { client } = ctx.oidc;
    const error = (ctx.body as OAuthError | undefined)?.error;
    if (client === undefined || (error !== undefined && error !== 'unsupported_token_type')) {
      const reason = reasonOf(errorOf(ctx) ?? { error: error ?? 'server_error' });
      // nobody has proved anything: a wrong secret names its client, too
      const who = { ...whoAsked(ctx), proven: false };
      await events.append(authEvent(`${route}.refused`, who, { address, reason }, now()));
      return;
    }
    const shown = await shownToken(ctx, ports);
    ctx.status = 200;
    // a public client proves nothing but by the token
    if (shown === undefined && client.clientAuthMethod === 'none' && countFailure(ctx, limits)) return;
    if (shown !== undefined && route === 'revocation' && revokesTooMuch(ctx, client, limits)) return;
    const record = events.append.bind(events);
    if (route === 'revocation') {
      await revokeShown(client, shown, address, { revoke: ports.revoke, record, now });
      ctx.remove('Content-Type');
      ctx.body = '';
    } else {
      const known = introspection(client, shown, ports);
      const who = { tenant: tenantOf(client), clientId: client.clientId, proven: client.clientAuthMethod !== 'none' };
      const facts = {
        ...(known.active && shown?.form === 'jwt' && { tokenId: shown.claims.jti, resource: shown.claims.aud }),
        ...(known.active && shown?.form === 'stored' && { grantId: shown.ids.grantId }),
        ...(!known.active && { reason: 'inactive, or not for this client to know' }),
      };
      await events.append(authEvent('token.introspected', who, { address, ...facts }, now()));
      ctx.body = known;
    }
    ctx.status = 200;
  };
  provider.use(async (context, next) => {
    await next();
    const ctx = context as unknown as KoaContextWithOIDC;
    const route = ctx.oidc?.route;
    if (route === 'discovery') advertise(ctx.body as Metadata);
    if ((route !== 'revocation' && route !== 'introspection') || isUnrecorded(ctx)) return;
    await keptFirst(ctx, log, 'a token could not be revoked or introspected', () => answer(ctx, route));
  });
}

type Metadata = Record<string, unknown>;
/** Clients prove themselves here as they do at /token; RFC 8414 §2 takes it for client_secret_basic alone if nobody says so. */
function advertise(metadata: Metadata): void {
  const { token_endpoint_auth_methods_supported: methods, token_endpoint_auth_signing_alg_values_supported: algs } =
    metadata;
  for (const endpoint of ['revocation_endpoint', 'introspection_endpoint']) {
    metadata[`${endpoint}_auth_methods_supported`] = methods;
    metadata[`${endpoint}_auth_signing_alg_values_supported`] = algs;
  }
}
