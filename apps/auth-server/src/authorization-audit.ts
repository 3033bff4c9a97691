import type { RecordRefusal } from '@portcullis/service/refusal-events.memory';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { authEvent } from './audit.js';
import { notedErrors, reasonOf, UNAVAILABLE, whoAsked } from './endpoint-audit.js';
import { renderError } from './oidc-pages.js';
import type { TokenAuditPorts } from './token-audit.js';

export interface AuthorizationAuditPorts extends Pick<TokenAuditPorts, 'log' | 'addressOf' | 'now'> {
  readonly refused: RecordRefusal;
}

/**
 * One event for every request to /authorize that is refused, kept before the answer leaves. What a person refused on our
 * pages is on record from there.
 */
export function auditAuthorization(
  provider: Provider,
  { refused, log, addressOf, now }: AuthorizationAuditPorts,
): void {
  const errorOf = notedErrors(provider, 'authorization.error');
  provider.use(async (context, next) => {
    await next();
    const ctx = context as unknown as KoaContextWithOIDC;
    const error = errorOf(ctx);
    if (error === undefined || ctx.oidc.entities.Interaction?.result?.error !== undefined) return;
    // cut, so that what stands behind it has room
    const reason = reasonOf(error).slice(0, 800);
    const address = addressOf(ctx.req).slice(0, 64);
    try {
      await refused(address, (more) =>
        authEvent(
          'authorization.refused',
          { ...whoAsked(ctx), proven: false },
          { address, reason: `${reason}${more}` },
          now(),
        ),
      );
    } catch (failure) {
      log.error('the event of a refused authorization request cannot be kept', { error: failure });
      ctx.status = 503;
      ctx.remove('Location');
      ctx.set('Retry-After', '1');
      renderError(ctx, UNAVAILABLE);
    }
  });
}
