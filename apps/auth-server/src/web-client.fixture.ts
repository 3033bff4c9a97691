import { keyBytes } from '@portcullis/service/key-text';
import { secretHash } from './client-secret.js';
import { sqlClients } from './clients.sql.js';
import { basic, type World } from './gate.fixture.js';

/** Registers a client of that tenant which has a secret, and may redeem codes and refresh. */
export async function putWebClient(of: World, tenant: string): Promise<void> {
  const clientId = `web-${tenant}`;
  await sqlClients(of.database).put(tenant, {
    tenant,
    clientId,
    name: 'Web',
    authMethod: 'client_secret_basic',
    applicationType: 'web',
    secretHash: secretHash(keyBytes(of.keys.secretHash[0]), clientId, secretOfWeb(tenant)),
    previousSecret: undefined,
    jwks: undefined,
    jwksUri: undefined,
    redirectUris: ['https://web.example/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    scopes: ['customer:read'],
    dpopBound: false,
    requirePar: false,
    demo: false,
    disabled: false,
    createdAt: 0,
    version: 1,
  });
}

/** How that client authenticates. */
export const asWebClient = (tenant: string): { authorization: string } => basic(`web-${tenant}`, secretOfWeb(tenant));

const secretOfWeb = (tenant: string): string => `secret of ${tenant}`;
