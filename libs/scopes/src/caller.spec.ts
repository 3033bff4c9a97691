import { principalId } from '@portcullis/contract/ids';
import { accessTokenClaims, callerOf, foreignTokenClaims } from './caller.js';

const CLAIMS = {
  iss: 'i',
  aud: 'a',
  sub: 'c1',
  client_id: 'c1',
  jti: 'j1',
  iat: 1,
  exp: 2,
  scope: 'customer:read',
  tenant: 'acme',
  ceiling: 'customer:read customer:list',
};
const caller = (more: object = {}) => callerOf(accessTokenClaims.parse({ ...CLAIMS, ...more }));

test('a token whose subject is its client is a machine', () => {
  expect(caller()).toEqual({
    tenant: 'acme',
    allTenants: false,
    principal: principalId('acme', 'c1'),
    clientId: 'c1',
    sub: undefined,
    actor: 'c1',
    scopes: new Set(['customer:read']),
    ceiling: new Set(['customer:read', 'customer:list']),
    task: undefined,
    taskCustomer: undefined,
    customersPerTask: 10,
    customersPerHour: 60,
    authTime: undefined,
    acr: undefined,
    tokenId: 'j1',
    grantId: undefined,
    jkt: undefined,
    issuedAt: 1,
    expiresAt: 2,
  });
});

test('a token of another subject is a person through that client', () => {
  const { sub, principal, task, authTime } = caller({ sub: 'u1', task: 'tsk_1', auth_time: 1 });
  expect([sub, principal, task, authTime]).toEqual(['u1', principalId('acme', 'c1', 'u1'), 'tsk_1', 1]);
});

test('the one who acted is the person, else the client, unless the token says otherwise', () => {
  expect([caller(), caller({ sub: 'u1' }), caller({ actor: 'local-admin/0' })].map(({ actor }) => actor)).toEqual([
    'c1',
    'u1',
    'local-admin/0',
  ]);
});

test('how a token is bound, which grant it is of and how the person signed in come with it', () => {
  const jkt = 'k'.repeat(43);
  const { grantId, acr, ...rest } = caller({ sub: 'u1', grant_id: 'g1', acr: 'pwd', cnf: { jkt } });
  expect([grantId, acr, rest.jkt]).toEqual(['g1', 'pwd', jkt]);
});

test('the same client of another tenant is another principal', () => {
  expect(caller({ tenant: 'other' }).principal).not.toBe(caller().principal);
});

test('a service may act on all tenants, a person never', () => {
  expect(caller({ all_tenants: true })).toMatchObject({ tenant: 'acme', allTenants: true });
  expect(caller({ all_tenants: true, sub: 'u1' }).allTenants).toBe(false);
  expect(foreignTokenClaims.parse({ ...CLAIMS, all_tenants: true })).not.toHaveProperty('all_tenants');
});

test('claims we do not know are left behind', () => {
  expect(accessTokenClaims.parse({ ...CLAIMS, roles: ['admin'] })).not.toHaveProperty('roles');
});

test.each([
  { aud: ['a'] },
  { cnf: {} },
  { cnf: { jkt: 'short' } },
  { cnf: { jkt: 'k'.repeat(43), 'x5t#S256': 'y' } },
  { grant_id: '' },
  { tenant: '' },
  { tenant: '../x' },
  { all_tenants: false },
  { all_tenants: 'true' },
  { all_tenants: 1 },
  { sub: '' },
  { sub: 'x'.repeat(256) },
  { client_id: undefined },
  { scope: 'x'.repeat(4097) },
  { ceiling: undefined },
  { task: 'x'.repeat(65) },
  { auth_time: 'yesterday' },
  { exp: '2' },
])('claims with %j are none of ours', (change) => {
  expect(accessTokenClaims.safeParse({ ...CLAIMS, ...change }).success).toBe(false);
});

test('a task may be bound to one customer, and the client’s record may widen or narrow its budgets', () => {
  const claims = { task: 'tsk_1', task_customer_id: '12345', customers_per_task: 100, customers_per_hour: 5 };
  expect(caller(claims)).toMatchObject({ taskCustomer: '12345', customersPerTask: 100, customersPerHour: 5 });
});

test.each([
  { customers_per_task: 0 },
  { customers_per_hour: 10_001 },
  { customers_per_hour: 1.5 },
  { customers_per_task: '10' },
  { task_customer_id: '' },
])('%j is no claim of ours', (more) => {
  expect(accessTokenClaims.safeParse({ ...CLAIMS, ...more }).success).toBe(false);
});
