import type { RecordRefusal } from '@portcullis/service/refusal-events.memory';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { authEvent } from './audit.js';
import { tenantOf } from './client-metadata.js';
import { renderError } from './oidc-pages.js';
import type { TokenAuditPorts } from './token-audit.js';

export interface AuthorizationAuditPorts extends Pick<TokenAuditPorts, 'log' | 'addressOf' | 'now'> {
  readonly refused: RecordRefusal;
}

interface AuthorizationError {
  readonly error?: string;
  readonly error_description?: string;
  readonly error_detail?: string;
}

/**
 * One event for every request to /authorize that is refused, kept before the answer leaves. What a person refused on our
 * pages is on record from there.
 */
export function auditAuthorization(
  provider: Provider,
  { refused, log, addressOf, now }: AuthorizationAuditPorts,
): void {
  const errors = new WeakMap<object, AuthorizationError>();
  // of several the last is what the browser is told
  provider.on('authorization.error', (ctx, error) => void errors.set(ctx, error as AuthorizationError));
  provider.use(async (context, next) => {
    await next();
    const ctx = context as unknown as KoaContextWithOIDC;
    const error = errors.get(ctx);
    if (error === undefined || ctx.oidc.entities.Interaction?.result?.error !== undefined) return;
    const { client, params } = ctx.oidc;
    const named = params?.client_id;
    const who = {
      tenant: client && tenantOf(client),
      clientId: client?.clientId ?? (typeof named === 'string' ? named : undefined),
      proven: false,
    };
    const detail = error.error_detail ?? error.error_description;
    const reason = detail ? `${error.error}: ${detail.slice(0, 800)}` : (error.error ?? 'server_error');
    const address = addressOf(ctx.req).slice(0, 64);
    try {
      await refused(address, (more) =>
        authEvent('authorization.refused', who, { address, reason: `${reason}${more}` }, now()),
      );
    } catch (failure) {
      log.error('the event of a refused authorization request cannot be kept', { error: failure });
      ctx.status = 503;
      ctx.remove('Location');
      ctx.set('Retry-After', '1');
      const says = 'The server cannot take this request now.';
      renderError(ctx, { error: 'temporarily_unavailable', error_description: says });
    }
  });
}
