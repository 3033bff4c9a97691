import type { EventLog } from '@portcullis/bus/outbox';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import type { Log } from '@portcullis/contract/log';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { authEvent, type Who } from './audit.js';
import { keptFirst, notedErrors, reasonOf, whoAsked, type OAuthError } from './endpoint-audit.js';
import { isUnrecorded } from './endpoint-limits.js';
import { GRANT_TYPES } from './clients.js';

export interface TokenAuditPorts {
  readonly events: EventLog;
  readonly log: Log;
  /** the caller's address */
  addressOf(request: KoaContextWithOIDC['req']): string;
  /** ms since epoch */
  now(): number;
}

/**
 * One event for every answer of /token. The answer leaves after the log has the event; a token that cannot be put on
 * record is not handed out.
 */
export function auditTokens(provider: Provider, { events, log, addressOf, now }: TokenAuditPorts): void {
  const errorOf = notedErrors(provider, 'grant.error');
  provider.use(async (context, next) => {
    await next();
    const ctx = context as unknown as KoaContextWithOIDC;
    if (ctx.oidc?.route !== 'token' || isUnrecorded(ctx)) return;
    await keptFirst(ctx, log, 'a token event cannot be kept', () =>
      events.append(tokenEvent(ctx, errorOf(ctx), addressOf(ctx.req), now())),
    );
  });
}

/** Refusals that come after the client has proved itself; before that its name is only a claim. */
const AFTER_AUTHENTICATION = new Set([
  'access_denied',
  'invalid_dpop_proof',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'use_dpop_nonce',
]);

function tokenEvent(ctx: KoaContextWithOIDC, noted: OAuthError | undefined, address: string, at: number): EventDraft {
  const { client, entities, params } = ctx.oidc;
  const token = entities.AccessToken ?? entities.ClientCredentials;
  const grantType = grantTypeOf(params?.grant_type);
  const refused = noted?.error ?? (ctx.body as OAuthError | undefined)?.error;
  const who: Who = {
    ...whoAsked(ctx),
    sub: entities.Account?.accountId,
    proven:
      client !== undefined &&
      (refused === undefined || (AFTER_AUTHENTICATION.has(refused) && client.clientAuthMethod !== 'none')),
  };
  const facts = { address: address.slice(0, 64), ...(grantType !== undefined && { grantType }) };
  if (refused !== undefined) {
    return authEvent('token.refused', who, { ...facts, reason: reasonOf({ ...noted, error: refused }) }, at);
  }
  return authEvent(
    'token.issued',
    who,
    {
      ...facts,
      ...(token?.scope !== undefined && { scope: token.scope }),
      ...(typeof token?.aud === 'string' && { resource: token.aud }),
      // an opaque token is its own id, and no log holds a token
      ...(typeof token?.aud === 'string' && { tokenId: token.jti }),
      ...(typeof ctx.state.tokenNote === 'string' && { reason: ctx.state.tokenNote }),
    },
    at,
  );
}

/** What is none of ours may be a secret in the wrong field. */
const grantTypeOf = (value: unknown): string | undefined =>
  value === undefined ? undefined : (GRANT_TYPES.find((type) => type === value) ?? 'unknown');
