import { errors, Provider, type Adapter, type AdapterPayload } from 'oidc-provider';
import { tenantOf } from './client-metadata.js';
import type { RefreshTokens } from './refresh-tokens.js';

export interface RefreshAdapterPorts {
  readonly refreshTokens: RefreshTokens;
  /** ms since epoch */
  now(): number;
}

/**
 * Lets oidc-provider issue first refresh tokens and look at them where it revokes or introspects. Their use is
 * refresh-grant.ts. Everything happens in the tenant of the client that asks.
 */
export function refreshAdapter({ refreshTokens, now }: RefreshAdapterPorts): Adapter {
  return {
    async upsert(token, payload, expiresIn) {
      // A logout ends the grant (grant-adapters.ts). That the browser forgot its session, or signed the same client in once
      // more, ends nothing, so the token is not bound to the session besides.
      const { jti: _token, expiresWithSession: _session, ...kept } = payload;
      const { grantId, clientId, accountId } = kept;
      if (!grantId || !clientId || !accountId || expiresIn === undefined)
        throw new Error('a refresh token of nobody, or for ever');
      const added = await refreshTokens.add(asking(), token, {
        grantId,
        clientId,
        accountId,
        jkt: kept.jkt,
        payload: JSON.stringify(kept),
        expiresAt: now() + expiresIn * 1000,
      });
      // its code was used twice at once, and the other use ended the grant
      if (!added) throw new errors.InvalidGrant('the grant has ended');
    },
    async find(token) {
      const kept = await refreshTokens.find(asking(), token, now());
      if (kept === undefined) return undefined;
      const payload = JSON.parse(kept.payload) as AdapterPayload;
      return { ...payload, jti: token, ...(kept.usedMsAgo !== undefined && { consumed: true }) };
    },
    destroy: (token) => refreshTokens.remove(asking(), token),
    async revokeByGrantId(grantId) {
      // at a logout no client asks; the grant itself goes then, and with it the use of its tokens
      if (Provider.ctx?.oidc.client) await refreshTokens.removeOfGrant(asking(), grantId);
    },
    consume: elsewhere,
    findByUid: elsewhere,
    findByUserCode: elsewhere,
  };
}

function asking(): string {
  const client = Provider.ctx?.oidc.client;
  if (client === undefined) throw new Error('a refresh token without a client that asks');
  return tenantOf(client);
}

const elsewhere = (): Promise<never> => Promise.reject(new Error('refresh tokens are used in refresh-grant.ts'));
