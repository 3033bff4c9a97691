import type { EventLog } from '@portcullis/bus/outbox';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import type { Log } from '@portcullis/contract/log';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { authEvent, type Who } from './audit.js';
import { tenantOf } from './client-metadata.js';
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
  const errors = new WeakMap<object, TokenError>();
  provider.on('grant.error', (ctx, error) => void errors.set(ctx, error));
  provider.use(async (context, next) => {
    await next();
    const ctx = context as unknown as KoaContextWithOIDC;
    if (ctx.oidc?.route !== 'token' || isUnrecorded(ctx)) return;
    try {
      await events.append(tokenEvent(ctx, errors.get(ctx), addressOf(ctx.req), now()));
    } catch (error) {
      log.error('a token event cannot be kept', { error });
      ctx.status = 503;
      ctx.set('Retry-After', '1');
      ctx.body = { error: 'temporarily_unavailable', error_description: 'The server cannot take this request now.' };
    }
  });
}

interface TokenError {
  readonly error?: string;
  readonly error_description?: string;
  readonly error_detail?: string;
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

function tokenEvent(ctx: KoaContextWithOIDC, error: TokenError | undefined, address: string, at: number): EventDraft {
  const { client, entities, params } = ctx.oidc;
  const token = entities.AccessToken ?? entities.ClientCredentials;
  const grantType = grantTypeOf(params?.grant_type);
  const body = ctx.body as TokenError | undefined;
  const refused = error?.error ?? body?.error;
  const who: Who = {
    tenant: client && tenantOf(client),
    clientId: client?.clientId ?? said(params?.client_id),
    sub: entities.Account?.accountId,
    proven:
      client !== undefined &&
      (refused === undefined || (AFTER_AUTHENTICATION.has(refused) && client.clientAuthMethod !== 'none')),
  };
  const facts = { address: address.slice(0, 64), ...(grantType !== undefined && { grantType }) };
  if (refused !== undefined) {
    const detail = error?.error_detail ?? error?.error_description;
    return authEvent('token.refused', who, { ...facts, reason: detail ? `${refused}: ${detail}` : refused }, at);
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

const said = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** What is none of ours may be a secret in the wrong field. */
const grantTypeOf = (value: unknown): string | undefined =>
  value === undefined || GRANT_TYPES.some((type) => type === value) ? said(value) : 'unknown';
