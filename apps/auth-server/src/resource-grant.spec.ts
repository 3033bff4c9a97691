import type { Scope } from '@portcullis/scopes/scopes';
import { apiScopes, loginScopes, resourceGrant } from './resource-grant.js';

const uris = {
  mcp: 'https://gate.example/mcp',
  authAdmin: 'https://auth.example/admin',
  mcpAdmin: 'https://gate.example/admin',
  approvals: 'https://gate.example/approvals',
  rateLimiter: 'https://limits.example/v1',
  analytics: 'https://analytics.example/v1',
};
const ceiling = new Set<Scope>(['customer:read', 'customer:write', 'ticket:create', 'email:send', 'admin:clients']);
const ask = (more: Partial<Parameters<typeof resourceGrant>[0]>) =>
  resourceGrant({ uris, resource: uris.mcp, scope: undefined, ceiling, roles: undefined, person: false, ...more });

test.each<[string, Parameters<typeof ask>[0], string]>([
  ['what is asked for inside the ceiling is granted', { scope: 'ticket:create' }, 'ticket:create'],
  ['what lies beyond the ceiling is dropped', { scope: 'customer:read data:export' }, 'customer:read'],
  ['what belongs to another resource is dropped', { scope: 'customer:read admin:clients' }, 'customer:read'],
  ['what nobody knows is dropped', { scope: 'customer:read customer:eat' }, 'customer:read'],
  ['a request without scope gets what only reads or computes', {}, 'customer:read'],
  ['a blank scope is no scope', { scope: ' ' }, 'customer:read'],
  [
    'what the person may not do is dropped',
    { scope: 'ticket:create email:send', roles: new Set(['ticket:create']) },
    'ticket:create',
  ],
  ['nothing is left when nothing fits', { scope: 'data:export' }, ''],
  ['a machine cannot sign in', { scope: 'openid customer:read' }, 'customer:read'],
  ['a person can sign in besides', { scope: 'openid customer:read', person: true }, 'openid customer:read'],
  ['a person can sign in only', { scope: 'openid profile', person: true }, 'openid profile'],
  ['a request without scope signs nobody in', { person: true }, 'customer:read'],
])('%s', (_says, question, granted) => {
  expect(ask(question)?.granted.join(' ')).toBe(granted);
});

test('the ceiling of a token is what client and person could ever get at that resource', () => {
  const known = { scope: 'customer:read', roles: new Set<Scope>(['customer:write', 'ticket:read']), person: true };
  expect(ask(known)?.ceiling).toEqual(['customer:read', 'customer:write']);
  expect(ask({ resource: uris.authAdmin, scope: 'admin:clients' })?.ceiling).toEqual(['admin:clients']);
});

test('every granted scope of an API lies inside the ceiling of the token', () => {
  const grant = ask({ scope: 'customer:read', ceiling: new Set<Scope>(['customer:write']) });
  expect(grant?.granted).toEqual(['customer:read']);
  expect(grant?.ceiling).toContain('customer:read');
});

test.each([['https://gate.example/mcp/'], ['HTTPS://GATE.example/mcp']])('%s is the same resource', (resource) => {
  expect(ask({ resource })?.audience).toBe(uris.mcp);
});
test.each([['https://gate.example/mcp2'], ['https://gate.example'], ['https://evil.example/mcp'], ['x']])(
  '%s is no resource of ours',
  (resource) => expect(ask({ resource })).toBeUndefined(),
);

test('scopes of a sign-in and scopes of APIs are told apart', () => {
  expect(loginScopes('customer:read openid openid profile')).toEqual(['openid', 'profile']);
  expect(apiScopes('openid customer:read profile')).toEqual(['customer:read']);
  expect([loginScopes(undefined), apiScopes(undefined)]).toEqual([[], []]);
});
