import type { Account, KoaContextWithOIDC } from 'oidc-provider';
import { tenantOf } from './client-metadata.js';
import type { Users } from './users.js';

/**
 * The person behind a `sub`, if they still may sign in and belong to the tenant of the client that asks. When the
 * browser's session is of somebody else, this request is served without it: oidc-provider would take it for signed in,
 * find no account for it, and fail, where it should ask for a login. What is kept of the session stays as it is, so that
 * nobody signs a person out by a link to a client of another tenant.
 */
export async function findAccount(users: Users, ctx: KoaContextWithOIDC, sub: string): Promise<Account | undefined> {
  const { client, session } = ctx.oidc;
  const user = client && (await users.byId(tenantOf(client), sub));
  if (user && !user.disabled) {
    return {
      accountId: user.userId,
      claims: () => ({ sub: user.userId, preferred_username: user.username }),
    };
  }
  if (session?.accountId === sub) leaveOut(session);
  return undefined;
}

function leaveOut(session: NonNullable<KoaContextWithOIDC['oidc']['session']>): void {
  const open = session as unknown as Record<string, unknown>;
  // deleted, not set: the session refuses an empty accountId
  delete open.accountId;
  delete open.loginTs;
  delete open.authorizations;
  // what oidc-provider takes for destroyed, it does not write back; nothing is destroyed by the word
  open.destroyed = true;
}
