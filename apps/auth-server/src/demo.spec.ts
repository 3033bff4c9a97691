import { ROLES } from '@portcullis/scopes/roles';
import { DEMO_CLIENTS, demoAccounts, demoClientRecord, newDemoAccounts } from './demo.js';

const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'very private', kid: 'k' } as const;
let number = 0;
const make = () =>
  newDemoAccounts({
    clientSecret: () => `secret ${++number}`,
    password: () => `password ${++number}`,
    privateJwk: () => Promise.resolve(jwk),
  });
const key = new Uint8Array(32).fill(1);

test('the accounts have the shape of demo.json', async () => {
  const accounts = await make();
  expect(accounts.clients).toEqual({
    'support-agent': {
      client_id: 'support-agent',
      client_secret: expect.stringContaining('secret'),
      scopes: ['customer:read', 'ticket:read', 'ticket:create', 'account:calculate', 'sentiment:analyze'],
    },
    'reporting-agent': {
      client_id: 'reporting-agent',
      client_secret: expect.stringContaining('secret'),
      scopes: [...DEMO_CLIENTS['support-agent'].ceiling, 'customer:list', 'data:export', 'email:send'],
    },
    'secure-agent': { client_id: 'secure-agent', private_jwk: jwk, scopes: [...DEMO_CLIENTS['support-agent'].ceiling] },
    // a yes to its calls is not its own to give
    desktop: {
      client_id: 'desktop',
      scopes: [...new Set(ROLES.supervisor)].filter((scope) => scope !== 'approvals:give'),
    },
  });
  expect(accounts.users[0]).toMatchObject({ username: 'sam', roles: ['supervisor'] });
  expect(accounts.users.flatMap(({ roles }) => roles)).toEqual(['supervisor', 'agent-user', 'admin', 'responder']);
  const secrets = [
    ...Object.values(accounts.clients).map(({ client_secret: secret }) => secret),
    ...accounts.users.map(({ password }) => password),
  ];
  expect(new Set(secrets).size).toBe(secrets.length - 1);
});

test('they survive being written to a file together with the URLs', async () => {
  const accounts = await make();
  const file = JSON.stringify({ issuer: 'http://127.0.0.1:4400', mcp: 'http://127.0.0.1:4401/mcp', ...accounts });
  expect(demoAccounts.parse(JSON.parse(file))).toEqual(accounts);
});

test('what is registered holds no secret and no private key', async () => {
  const { clients } = await make();
  for (const name of ['support-agent', 'secure-agent', 'desktop'] as const) {
    const record = JSON.stringify(demoClientRecord(name, clients[name], key, 0));
    expect(record).not.toMatch(/secret \d|very private/);
  }
  expect(demoClientRecord('secure-agent', clients['secure-agent'], key, 0).jwks).toEqual({
    keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k' }],
  });
});
