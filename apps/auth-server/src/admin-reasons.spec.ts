import { newClientBody } from './admin-clients.js';
import { clientChangeReason, newClientReason, userReason } from './admin-reasons.js';

const key = { kty: 'EC', crv: 'P-256', x: 'a'.repeat(43), y: 'b'.repeat(43) } as const;

test('a changed client is told by the members that were named, as the API names them', () => {
  expect(clientChangeReason({ dpopBound: false, scopes: ['customer:read', 'ticket:read'] })).toBe(
    'dpop_bound_access_tokens=false, scopes=[customer:read ticket:read]',
  );
  expect(clientChangeReason({ disabled: true })).toBe('disabled=true');
  expect(clientChangeReason({ allTenants: false })).toBe('all_tenants=false');
  expect(clientChangeReason({ name: 'A "b"' })).toBe('name="A \\"b\\""');
  expect(userReason({ roles: ['admin'], disabled: false })).toBe('disabled=false, roles=[admin]');
});

test('keys are counted, and of the place where they are the query is left out', () => {
  expect(clientChangeReason({ jwks: { keys: [key, key] } })).toBe('jwks=2 keys');
  expect(clientChangeReason({ jwksUri: 'https://app.example/keys?key=opensesame' })).toBe(
    'jwks_uri=https://app.example/keys',
  );
});

test('a new client is told with its ceiling, within what an event holds', () => {
  const body = { name: 'Machine', auth_method: 'client_secret_basic', scopes: ['customer:read'] };
  expect(newClientReason(newClientBody.parse(body))).toBe(
    'auth_method=client_secret_basic, grant_types=[client_credentials], dpop_bound_access_tokens=true, ' +
      'require_pushed_authorization_requests=false, name="Machine", scopes=[customer:read]',
  );
  const long = newClientBody.parse({ ...body, scopes: Array.from({ length: 50 }, () => 'sentiment:analyze') });
  expect(newClientReason(long)).toHaveLength(1000);
});
