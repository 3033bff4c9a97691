import { rowSecurityContract } from '@portcullis/sql/row-security.contract';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { sqlBootstrapLinks } from './bootstrap-links.sql.js';
import { sqlClients } from './clients.sql.js';
import { refreshTokensIn } from './refresh-tokens.fixture.js';
import { sqlRevocations } from './revocations.sql.js';
import { AUTH } from './tables.js';
import { sqlUsers } from './users.sql.js';

const FAR = Date.UTC(2100, 0, 1);
const yes = (): Promise<void> => Promise.resolve();
const each = { demo: false, disabled: false, createdAt: 0, version: 1 } as const;
const client = {
  ...each,
  name: 'A client',
  authMethod: 'client_secret_basic',
  applicationType: 'web',
  secretHash: 'hash',
  previousSecret: undefined,
  jwks: undefined,
  jwksUri: undefined,
  dpopBound: false,
  requirePar: false,
  redirectUris: [],
  grantTypes: ['client_credentials'],
  scopes: ['customer:read'],
} as const;
const user = { ...each, username: 'sam', passwordHash: '$', roles: ['analyst'] } as const;

rowSecurityContract(
  AUTH,
  new URL('../migrations/', import.meta.url),
  () => testPostgres().open(),
  async (database, tenant) => {
    await sqlClients(database).add(tenant, { ...client, tenant, clientId: `c-${tenant}` }, yes);
    await sqlUsers(database).add(tenant, { ...user, tenant, userId: `usr_${tenant}` }, yes);
    const revocation = { what: 'token', id: 'j', at: 0, until: FAR, reason: 'r', by: 'b' } as const;
    await sqlRevocations(database).revoke(tenant, revocation, yes);
    await sqlBootstrapLinks(database).make(tenant, `hash-${tenant}`, FAR);
    const { tokens, addGrant } = refreshTokensIn(database);
    await addGrant(`g-${tenant}`);
    const grant = { grantId: `g-${tenant}`, clientId: 'c', accountId: 'u', jkt: undefined, payload: '{}' } as const;
    await tokens.add(tenant, `token-${tenant}`, { ...grant, expiresAt: FAR });
  },
);
