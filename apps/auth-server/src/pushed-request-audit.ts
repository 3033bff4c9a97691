import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { authEvent } from './audit.js';
import { keptFirst, notedErrors, reasonOf, whoAsked } from './endpoint-audit.js';
import { isUnrecorded } from './endpoint-limits.js';
import type { TokenAuditPorts } from './token-audit.js';

/**
 * One event for every answer of /par. The answer leaves after the log has the event; a request that cannot be put on
 * record is not taken.
 */
export function auditPushedRequests(provider: Provider, { events, log, addressOf, now }: TokenAuditPorts): void {
  const errorOf = notedErrors(provider, 'pushed_authorization_request.error');
  provider.use(async (context, next) => {
    await next();
    const ctx = context as unknown as KoaContextWithOIDC;
    if (ctx.oidc?.route !== 'pushed_authorization_request' || ctx.method !== 'POST' || isUnrecorded(ctx)) return;
    const { client } = ctx.oidc;
    const error = errorOf(ctx);
    const proven = error === undefined && client !== undefined && client.clientAuthMethod !== 'none';
    const facts = { address: addressOf(ctx.req).slice(0, 64), ...(error && { reason: reasonOf(error) }) };
    const action = error ? 'request.refused' : 'request.pushed';
    await keptFirst(ctx, log, 'the event of a pushed request cannot be kept', () =>
      events.append(authEvent(action, { ...whoAsked(ctx), proven }, facts, now())),
    );
  });
}
