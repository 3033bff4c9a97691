import fc from 'fast-check';
import { resourceNamed, RESOURCES, sameResource, type ResourceUris } from './resources.js';
import { isRole, ROLES, scopesOfRoles, type Role } from './roles.js';
import {
  beyondCeiling,
  covers,
  grantScopes,
  heldScopes,
  isScope,
  missingScopes,
  parseScopes,
  SCOPES,
  type Scope,
} from './scopes.js';

const ALL = Object.keys(SCOPES) as Scope[];
const set = (...scopes: Scope[]) => new Set(scopes);

test('the scopes are as pinned: name, passive, holder', () => {
  expect(
    Object.entries(SCOPES).map(([name, { passive, holder }]) => `${name} ${passive ? 'passive ' : ''}${holder}`),
  ).toEqual([
    'customer:read passive client',
    'customer:list passive client',
    'customer:write client',
    'customer:delete client',
    'ticket:read passive client',
    'ticket:create client',
    'account:calculate passive client',
    'sentiment:analyze passive client',
    'data:export passive client',
    'data:delete client',
    'email:send client',
    'diagnostics:run passive client',
    'admin:clients person',
    'admin:users person',
    'admin:keys person',
    'security:read person',
    'security:respond person',
    'approvals:give person',
    'platform:admin person',
    'events:write client',
    'limits:decide service',
    'limits:admin service',
    'standing:publish service',
    'approvals:decide service',
  ]);
});

test('customer:write covers customer:read, and no other scope covers another', () => {
  const pairs = ALL.flatMap((held) =>
    ALL.filter((other) => other !== held && covers(set(held), other)).map((other) => `${held} > ${other}`),
  );
  expect(pairs).toEqual(['customer:write > customer:read']);
});

test.each(['', 'customer', 'Customer:read', 'customer:read ', '__proto__', 'constructor', 'toString'])(
  '%j is no scope',
  (name) => {
    expect(isScope(name)).toBe(false);
  },
);

test('a scope string is a set of known names', () => {
  expect(parseScopes('customer:read  openid customer:read\tticket:read __proto__ ticket:read')).toEqual(
    set('customer:read', 'ticket:read'),
  );
  expect(parseScopes('')).toEqual(new Set());
});

test("a verified token holds the scopes of somebody else's tools too, and nothing that is no scope-token", () => {
  expect(heldScopes('notes:read  customer:read notes:read a"b a\\b a\tb ü')).toEqual(
    new Set(['notes:read', 'customer:read']),
  );
  expect(heldScopes(`${'x'.repeat(128)} ${'x'.repeat(129)}`)).toEqual(new Set(['x'.repeat(128)]));
});

test('what the issuer grants is of the table all the same', () => {
  expect(grantScopes('notes:read customer:read', set('customer:read'))).toEqual(['customer:read']);
});

test('nothing is known to be beyond a ceiling that is not known', () => {
  expect(beyondCeiling(undefined, ['notes:read'])).toEqual([]);
  expect(beyondCeiling<string>(set('customer:write'), ['notes:read', 'customer:read'])).toEqual(['notes:read']);
});

test('missing are the scopes neither held nor covered, in the order asked', () => {
  expect(missingScopes(set('customer:write'), ['email:send', 'customer:read', 'customer:list'])).toEqual([
    'email:send',
    'customer:list',
  ]);
});

describe('a grant', () => {
  const resource = new Set<Scope>(RESOURCES.mcp);

  test.each<[string, string | undefined, Scope[], ReadonlySet<Scope>[], Scope[]]>([
    [
      'no scope named: the passive ones of the ceiling',
      undefined,
      ['customer:read', 'ticket:create', 'data:export'],
      [resource],
      ['customer:read', 'data:export'],
    ],
    ['a blank scope: the same', '  ', ['customer:read', 'ticket:create'], [resource], ['customer:read']],
    ['a scope inside the ceiling', 'ticket:create', ['customer:read', 'ticket:create'], [resource], ['ticket:create']],
    [
      'a scope beyond the ceiling is left out',
      'customer:read customer:delete',
      ['customer:read'],
      [resource],
      ['customer:read'],
    ],
    ['nothing of what was asked', 'customer:delete', ['customer:read'], [resource], []],
    ['only unknown names: nothing, and not the passive ones', 'openid', ['customer:read'], [resource], []],
    [
      'a scope of another resource',
      'security:read customer:read',
      ['security:read', 'customer:read'],
      [resource],
      ['customer:read'],
    ],
    ['a covered scope where the ceiling covers it', 'customer:read', ['customer:write'], [resource], ['customer:read']],
    ['not the covering one where the ceiling has the covered', 'customer:write', ['customer:read'], [resource], []],
    [
      'bounded by the roles of the user',
      'customer:read customer:delete',
      ['customer:read', 'customer:delete'],
      [resource, scopesOfRoles(['agent-user'])],
      ['customer:read'],
    ],
    ['of a user without roles', 'customer:read', ['customer:read'], [resource, new Set()], []],
  ])('%s', (_what, requested, ceiling, bounds, granted) => {
    expect(grantScopes(requested, new Set(ceiling), ...bounds)).toEqual(granted);
  });

  test('is never beyond any bound, whatever is asked', () => {
    const some = fc.subarray(ALL).map((scopes) => new Set(scopes));
    fc.assert(
      fc.property(
        fc.option(
          fc.oneof(
            some.map((scopes) => [...scopes].join(' ')),
            fc.string(),
          ),
          { nil: undefined },
        ),
        some,
        some,
        (asked, ceiling, bound) => {
          const granted = grantScopes(asked, ceiling, bound);
          expect(missingScopes(ceiling, granted)).toEqual([]);
          expect(missingScopes(bound, granted)).toEqual([]);
          if (asked?.trim()) expect(granted.filter((scope) => !parseScopes(asked.trim()).has(scope))).toEqual([]);
        },
      ),
    );
  });
});

describe('roles', () => {
  test('are as pinned', () => {
    expect(ROLES).toEqual({
      'agent-user': ['customer:read', 'ticket:read', 'ticket:create', 'account:calculate', 'sentiment:analyze'],
      supervisor: [
        'customer:read',
        'ticket:read',
        'ticket:create',
        'account:calculate',
        'sentiment:analyze',
        'customer:write',
        'customer:delete',
        'customer:list',
        'approvals:give',
      ],
      analyst: ['security:read'],
      responder: ['security:read', 'security:respond', 'approvals:give'],
      admin: ['admin:clients', 'admin:users', 'admin:keys'],
    });
  });

  test('add up, and give nobody the platform or what services hold', () => {
    expect(scopesOfRoles(['analyst', 'agent-user'])).toEqual(new Set([...ROLES.analyst, ...ROLES['agent-user']]));
    const everything = scopesOfRoles(Object.keys(ROLES) as Role[]);
    expect([...everything].filter((scope) => scope === 'platform:admin' || SCOPES[scope].holder === 'service')).toEqual(
      [],
    );
    expect(scopesOfRoles([])).toEqual(new Set());
  });

  test('are known by name', () => {
    expect(['admin', 'Admin', '__proto__', ''].map(isRole)).toEqual([true, false, false, false]);
  });
});

describe('resources', () => {
  const uris: ResourceUris = {
    mcp: 'https://gate.example/mcp',
    authAdmin: 'https://auth.example/admin',
    mcpAdmin: 'https://gate.example/admin',
    approvals: 'https://gate.example/approvals',
    rateLimiter: 'https://limits.example/v1',
    analytics: 'https://analytics.example/v1',
  };

  test.each([
    ['https://gate.example/mcp', 'mcp'],
    ['https://gate.example/mcp/', 'mcp'],
    ['HTTPS://GATE.example:443/mcp', 'mcp'],
    ['https://gate.example/admin', 'mcpAdmin'],
    ['https://gate.example/approvals', 'approvals'],
    ['https://gate.example', undefined],
    ['https://gate.example/MCP', undefined],
    ['https://gate.example/mcp?x=1', undefined],
    ['https://gate.example/mcp#x', undefined],
    ['https://gate.example:8443/mcp', undefined],
    ['https://user@gate.example/mcp', undefined],
    ['http://gate.example/mcp', undefined],
    ['https://gate.example/mcp//', undefined],
    ['', undefined],
    ['mcp', undefined],
  ])('%j names %s', (uri, name) => expect(resourceNamed(uris, uri)).toBe(name));

  test('text that is no URI equals itself only', () => {
    expect([sameResource('x', 'x'), sameResource('x', 'y')]).toEqual([true, false]);
  });

  test('every scope of a client or a person means something at some resource', () => {
    const meaningful = new Set<Scope>(Object.values(RESOURCES).flat());
    expect(ALL.filter((scope) => SCOPES[scope].holder !== 'service' && !meaningful.has(scope))).toEqual([]);
  });
});
