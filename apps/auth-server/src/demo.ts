import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import { ROLES, scopesOfRoles, type Role } from '@portcullis/scopes/roles';
import type { Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { secretHash, type SecretHashKey } from './client-secret.js';
import type { AuthMethod, ClientRecord } from './clients.js';

/** The demo's clients (surface: demo.json). Their ids are their names. */
interface DemoClient {
  readonly says: string;
  readonly authMethod: AuthMethod;
  readonly ceiling: readonly Scope[];
  /** see ClientRecord.customersPerTask */
  readonly customersPerTask?: number;
  readonly customersPerHour?: number;
}
const support: readonly Scope[] = [
  'customer:read',
  'ticket:read',
  'ticket:create',
  'account:calculate',
  'sentiment:analyze',
];
export const DEMO_CLIENTS = {
  'support-agent': { says: 'Support agent', authMethod: 'client_secret_basic', ceiling: support },
  'reporting-agent': {
    says: 'Reporting agent',
    authMethod: 'client_secret_basic',
    ceiling: [...support, 'customer:list', 'data:export', 'email:send'],
    customersPerTask: 1000,
    customersPerHour: 5000,
  },
  'secure-agent': { says: 'Support agent with a key', authMethod: 'private_key_jwt', ceiling: support },
  desktop: {
    says: 'Desktop assistant',
    authMethod: 'none',
    // what a supervisor may let an agent do; a yes to its calls is given elsewhere
    ceiling: [...scopesOfRoles(['supervisor'])].filter((scope) => scope !== 'approvals:give'),
    customersPerTask: 100,
    customersPerHour: 500,
  },
} as const satisfies Record<string, DemoClient>;
export type DemoClientName = keyof typeof DEMO_CLIENTS;

/** The demo's people. The first one is who the demo signs in as. */
export const DEMO_USERS = {
  sam: ['supervisor'],
  uma: ['agent-user'],
  ada: ['admin', 'responder'],
} as const satisfies Record<string, readonly Role[]>;

/** Where programs on a person's own machine listen for the answer, on any port (RFC 8252 §7.3). */
const LOOPBACK_REDIRECTS = ['127.0.0.1', '[::1]', 'localhost'].flatMap((host) =>
  ['/callback', '/oauth/callback', '/cb', '/'].map((path) => `http://${host}${path}`),
);

const privateJwk = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string().optional(),
});
const account = z.object({
  client_id: z.string(),
  client_secret: z.string().optional(),
  private_jwk: privateJwk.optional(),
  scopes: z.array(z.string()),
});

/**
 * The accounts as demo.json holds them. The file is the only place where their secrets are; it also names `issuer` and
 * `mcp`, which are not read here.
 */
export const demoAccounts = z.object({
  clients: z.object({
    'support-agent': account,
    'reporting-agent': account,
    'secure-agent': account,
    desktop: account,
  }),
  users: z.array(
    z.object({
      username: z.string(),
      password: z.string(),
      roles: z.array(z.enum(Object.keys(ROLES) as [Role, ...Role[]])),
    }),
  ),
});
export type DemoAccounts = z.output<typeof demoAccounts>;

/** What new demo accounts are made of; each call gives a fresh one. */
export interface DemoSecrets {
  clientSecret(): string;
  password(): string;
  /** a private ES256 key as JWK */
  privateJwk(): Promise<z.output<typeof privateJwk>>;
}

export async function newDemoAccounts(secrets: DemoSecrets): Promise<DemoAccounts> {
  const clientOf = async (name: DemoClientName): Promise<z.output<typeof account>> => {
    const { authMethod, ceiling } = DEMO_CLIENTS[name];
    return {
      client_id: name,
      ...(authMethod === 'client_secret_basic' && { client_secret: secrets.clientSecret() }),
      ...(authMethod === 'private_key_jwt' && { private_jwk: await secrets.privateJwk() }),
      scopes: [...ceiling],
    };
  };
  return {
    clients: {
      'support-agent': await clientOf('support-agent'),
      'reporting-agent': await clientOf('reporting-agent'),
      'secure-agent': await clientOf('secure-agent'),
      desktop: await clientOf('desktop'),
    },
    users: Object.entries(DEMO_USERS).map(([username, roles]) => ({
      username,
      password: secrets.password(),
      roles: [...roles],
    })),
  };
}

/** What is registered of a demo client: its secret's hash or its public key, with the ceiling of the table. */
export function demoClientRecord(
  name: DemoClientName,
  { client_id, client_secret, private_jwk }: z.output<typeof account>,
  secretHashKey: SecretHashKey,
  now: number,
): ClientRecord {
  const { says, authMethod, ceiling, customersPerTask, customersPerHour }: DemoClient = DEMO_CLIENTS[name];
  const person = authMethod === 'none';
  return {
    tenant: DEFAULT_TENANT,
    clientId: client_id,
    name: says,
    authMethod,
    applicationType: person ? 'native' : 'web',
    secretHash: client_secret === undefined ? undefined : secretHash(secretHashKey, client_id, client_secret),
    previousSecret: undefined,
    jwks: private_jwk && {
      keys: [
        {
          kty: 'EC',
          crv: 'P-256',
          x: private_jwk.x,
          y: private_jwk.y,
          ...(private_jwk.kid !== undefined && { kid: private_jwk.kid }),
        },
      ],
    },
    jwksUri: undefined,
    redirectUris: person ? LOOPBACK_REDIRECTS : [],
    grantTypes: person ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
    scopes: ceiling,
    // the others show what plain bearer tokens are; this one what a thief cannot use
    dpopBound: authMethod === 'private_key_jwt',
    requirePar: false,
    ...(customersPerTask !== undefined && { customersPerTask }),
    ...(customersPerHour !== undefined && { customersPerHour }),
    demo: true,
    disabled: false,
    createdAt: now,
    version: 1,
  };
}
