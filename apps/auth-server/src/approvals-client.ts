import { isTenant } from '@portcullis/contract/ids';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Artefacts } from './artefacts.js';
import type { ClientRecord } from './clients.js';

const PREFIX = 'approvals.';
const KEPT = 1000;

/**
 * The clients through which people sign in to approve calls: one for each tenant, `approvals.TENANT`, built in. They have
 * no row, so that nobody can change or remove them, and nothing of them can be had but `approvals:give`, on our own page.
 * @param approvalsUrl audience of the approvals; where the page is
 * @returns the client of an id, the same object each time; undefined for every other id
 */
export function approvalsClients(
  approvalsUrl: string,
  createdAt: number,
): (clientId: string) => ClientRecord | undefined {
  const made = new Map<string, ClientRecord>();
  return (clientId) => {
    if (!isApprovalsClient(clientId)) return undefined;
    let client = made.get(clientId);
    if (client === undefined) {
      if (made.size >= KEPT) made.clear();
      made.set(clientId, (client = approvalsClient(clientId, approvalsUrl, createdAt)));
    }
    return client;
  };
}

const isApprovalsClient = (clientId: string): boolean =>
  clientId.startsWith(PREFIX) && isTenant(clientId.slice(PREFIX.length));

const approvalsClient = (clientId: string, approvalsUrl: string, createdAt: number): ClientRecord => ({
  tenant: clientId.slice(PREFIX.length),
  clientId,
  name: 'Approval of calls',
  // its page has nothing to hide a secret behind that PKCE and the redirect URI would not do as well
  authMethod: 'none',
  applicationType: 'web',
  secretHash: undefined,
  previousSecret: undefined,
  jwks: undefined,
  jwksUri: undefined,
  redirectUris: [`${approvalsUrl}/callback`],
  grantTypes: ['authorization_code'],
  scopes: ['approvals:give'],
  dpopBound: false,
  requirePar: false,
  demo: false,
  disabled: false,
  createdAt,
  version: 1,
});

/**
 * The grant that a request goes by: of our own page one is made without asking, since whoever signs in there means just
 * that; any other client's is the one that its person said yes to.
 */
export async function existingGrant(
  { provider, session, client, account, params, result }: KoaContextWithOIDC['oidc'],
  { artefacts }: { readonly artefacts: Pick<Artefacts, 'noteSession'> },
): Promise<InstanceType<typeof provider.Grant> | undefined> {
  if (client === undefined || session === undefined) return undefined;
  const given = (result?.consent as { grantId?: string } | undefined)?.grantId;
  const grantId = given ?? session.grantIdFor(client.clientId);
  // before the login there is nothing to grant yet, and every try would leave a row
  if (!isApprovalsClient(client.clientId) || result?.login === undefined) {
    return grantId === undefined ? undefined : provider.Grant.find(grantId);
  }
  const { resource } = params as { resource?: unknown };
  if (account === undefined || typeof resource !== 'string') return undefined;
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addResourceScope(resource, 'approvals:give');
  await artefacts.noteSession(await grant.save(), session.uid);
  return grant;
}
