import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { authEvent } from './audit.js';
import { tenantOf } from './client-metadata.js';
import { isUnrecorded } from './endpoint-limits.js';
import type { TokenAuditPorts } from './token-audit.js';

interface PushError {
  readonly error?: string;
  readonly error_description?: string;
  readonly error_detail?: string;
}

/**
 * One event for every answer of /par. The answer leaves after the log has the event; a request that cannot be put on
 * record is not taken.
 */
export function auditPushedRequests(provider: Provider, { events, log, addressOf, now }: TokenAuditPorts): void {
  const errors = new WeakMap<object, PushError>();
  provider.on('pushed_authorization_request.error', (ctx, error) => void errors.set(ctx, error as PushError));
  provider.use(async (context, next) => {
    await next();
    const ctx = context as unknown as KoaContextWithOIDC;
    if (ctx.oidc?.route !== 'pushed_authorization_request' || ctx.method !== 'POST' || isUnrecorded(ctx)) return;
    const { client, params } = ctx.oidc;
    const error = errors.get(ctx);
    const detail = error?.error_detail ?? error?.error_description;
    const proven = error === undefined && client !== undefined && client.clientAuthMethod !== 'none';
    const named = typeof params?.client_id === 'string' ? params.client_id : undefined;
    const who = { tenant: client && tenantOf(client), clientId: client?.clientId ?? named, proven };
    const facts = {
      address: addressOf(ctx.req).slice(0, 64),
      ...(error && { reason: detail ? `${error.error}: ${detail}` : (error.error ?? 'server_error') }),
    };
    try {
      await events.append(authEvent(error ? 'request.refused' : 'request.pushed', who, facts, now()));
    } catch (failure) {
      log.error('the event of a pushed request cannot be kept', { error: failure });
      ctx.status = 503;
      ctx.set('Retry-After', '1');
      ctx.body = { error: 'temporarily_unavailable', error_description: 'The server cannot take this request now.' };
    }
  });
}
