import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import type { Client } from 'oidc-provider';
import { authEvent } from './audit.js';
import { tenantOf } from './client-metadata.js';
import type { Revoke } from './revoking.js';
import type { ShownToken } from './shown-token.js';

export interface RevocationEndpointPorts {
  readonly revoke: Revoke;
  /** resolves when the event is kept */
  record(draft: EventDraft): Promise<unknown>;
  /** ms since epoch */
  now(): number;
}

/**
 * RFC 7009 for the tokens of the client that asks. The answer is 200 in every case: an unknown token is as good as revoked
 * (§2.2), and for a token of another client, which stays as it is (§2.1), an error would tell a thief that it is alive.
 *
 * - A refresh token takes its grant along, with every access token that came of it (§2.1, SHOULD).
 * - An access token goes alone; the client may go on with its refresh token (§2.1 leaves that to us: MAY). Whoever wants
 *   the whole grant gone has the refresh token to show.
 *
 * @param address the caller's
 */
export async function revokeShown(
  client: Client,
  shown: ShownToken | undefined,
  address: string,
  { revoke, record, now }: RevocationEndpointPorts,
): Promise<void> {
  const { clientId } = client;
  const tenant = tenantOf(client);
  const own = shown !== undefined && shown.ids.clientId === clientId && shown.ids.tenant === tenant;
  // a public client proves nothing but by the token itself
  const who = {
    tenant,
    clientId,
    sub: own ? shown.ids.sub : undefined,
    proven: own || client.clientAuthMethod !== 'none',
  };
  if (!own) {
    const reason = `the token is unknown, expired or another client's`;
    await record(authEvent('revocation.refused', who, { address, reason }, now()));
    return;
  }
  const by = clientId;
  const { tokenId, grantId } = shown.ids;
  const reason = 'its client revoked it';
  if (shown.form === 'jwt') {
    const what = { what: 'token', id: tokenId, reason, by, expires: shown.claims.exp * 1000 } as const;
    const facts = { tokenId, resource: shown.claims.aud, address, reason };
    await revoke(tenant, what, async () => void (await record(authEvent('token.revoked', who, facts, now()))));
  } else if (shown.stored.kind === 'RefreshToken' && grantId !== undefined) {
    const facts = { grantId, address, reason };
    const event = authEvent('grant.revoked', who, facts, now());
    await revoke(tenant, { what: 'grant', id: grantId, reason, by }, async () => void (await record(event)));
  } else {
    // opaque, for /userinfo here: nobody else knows it
    await record(authEvent('token.revoked', who, { address, reason }, now()));
    await shown.stored.destroy();
  }
}
