import { Refusal } from '@portcullis/contract/refusals';
import { callerOf } from '@portcullis/scopes/caller';
import type { Role } from '@portcullis/scopes/roles';
import { mayChangeClient, mayGiveAllTenants, mayGiveRoles, notThemselves } from './admin-rights.js';

const caller = (scope: string, sub = 'usr_ada') =>
  callerOf({
    ...{ iss: 'i', aud: 'a', sub, client_id: 'console', jti: 'j', iat: 1, exp: 2 },
    ...{ scope, tenant: 'acme', ceiling: scope },
  });
/** the scopes that would have been needed; undefined = it is allowed */
function lacking(act: () => void): readonly string[] | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    return (error as Refusal).facts.scopes;
  }
}

test.each<[string, readonly Role[], readonly Role[], readonly string[] | undefined]>([
  ['admin:users', [], ['agent-user', 'supervisor'], undefined],
  ['admin:users', [], ['admin'], ['admin:clients', 'admin:keys']],
  ['admin:users', ['admin'], ['admin'], ['admin:clients', 'admin:keys']],
  ['admin:users admin:clients admin:keys', [], ['admin'], undefined],
  ['admin:users admin:clients admin:keys', ['admin'], ['responder'], ['platform:admin']],
  ['admin:users', ['admin', 'responder'], ['responder'], undefined],
  ['admin:users', ['admin', 'analyst'], ['responder'], ['platform:admin']],
  ['admin:users platform:admin', [], ['admin', 'responder'], undefined],
])('a token for %s of a person with the roles %j who gives %j lacks %j', (scope, roles, given, lacks) =>
  expect(lacking(() => mayGiveRoles({ ...caller(scope), roles }, given))).toEqual(lacks),
);

test.each([
  ['customer:read', 'admin:clients', undefined],
  ['admin:users', 'admin:clients admin:users', ['platform:admin']],
  ['limits:decide', 'admin:clients admin:users admin:keys', ['platform:admin']],
  ['platform:admin', 'admin:clients platform:admin', undefined],
] as const)('a client that may have %s, changed with %s: lacking is %j', (scope, held, lacks) =>
  expect(lacking(() => mayChangeClient(caller(held), { scopes: ['ticket:read', scope] }))).toEqual(lacks),
);

test.each([
  [true, 'admin:clients admin:users admin:keys', ['platform:admin']],
  [true, 'admin:clients platform:admin', undefined],
  [false, 'admin:clients', undefined],
  [undefined, 'admin:clients', undefined],
] as const)('all tenants (%j) given with %s: lacking is %j', (wanted, held, lacks) =>
  expect(lacking(() => mayGiveAllTenants(caller(held), wanted))).toEqual(lacks),
);

test('a person is not their own administrator, a program is nobody', () => {
  expect(() => notThemselves(caller('platform:admin'), 'usr_ada')).toThrow('Ask another administrator');
  expect(() => notThemselves(caller('admin:users'), 'usr_bob')).not.toThrow();
  expect(() => notThemselves(caller('admin:users', 'console'), 'console')).not.toThrow();
});
