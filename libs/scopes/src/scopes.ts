/**
 * What a token may be good for. Adding a scope is adding a row.
 * `passive`: its tools only read or compute, in bulk too, so a request that names no scope gets it (within the client's
 * ceiling). The metadata of a resource names fewer to ask for first (libs/guard/src/mcp/metadata.ts).
 * `covers`: scopes that come with it. `holder`: whom it is meant for; what is meant for people or
 * services gets into a client's ceiling by the platform's administrator only.
 */
export const SCOPES = {
  'customer:read': { says: 'Read one customer', passive: true, covers: [], holder: 'client' },
  'customer:list': { says: 'List customers in bulk', passive: true, covers: [], holder: 'client' },
  'customer:write': { says: 'Change customers', passive: false, covers: ['customer:read'], holder: 'client' },
  'customer:delete': { says: 'Delete customers', passive: false, covers: [], holder: 'client' },
  'ticket:read': { says: 'Read support tickets', passive: true, covers: [], holder: 'client' },
  'ticket:create': { says: 'Create support tickets and attach files', passive: false, covers: [], holder: 'client' },
  'account:calculate': { says: 'Calculate account values', passive: true, covers: [], holder: 'client' },
  'sentiment:analyze': { says: 'Analyze the sentiment of a text', passive: true, covers: [], holder: 'client' },
  'data:export': { says: 'Export data sets', passive: true, covers: [], holder: 'client' },
  'data:delete': { says: 'Delete records in bulk', passive: false, covers: [], holder: 'client' },
  'email:send': { says: 'Send e-mail to customers', passive: false, covers: [], holder: 'client' },
  'diagnostics:run': { says: 'Run fixed diagnostics', passive: true, covers: [], holder: 'client' },
  'admin:clients': { says: 'Administer clients', passive: false, covers: [], holder: 'person' },
  'admin:users': { says: 'Administer users', passive: false, covers: [], holder: 'person' },
  'admin:keys': { says: 'Administer signing keys', passive: false, covers: [], holder: 'person' },
  'security:read': { says: 'Read events and the state of agents', passive: false, covers: [], holder: 'person' },
  'security:respond': { says: 'Contain and release agents', passive: false, covers: [], holder: 'person' },
  /** docs/decisions/0014: what a person needs who approves calls */
  'approvals:give': { says: 'Approve calls of agents', passive: false, covers: [], holder: 'person' },
  'platform:admin': { says: 'Act on every tenant', passive: false, covers: [], holder: 'person' },
  'events:write': { says: 'Report what the agent side saw', passive: false, covers: [], holder: 'client' },
  'limits:decide': { says: 'Ask for limit decisions', passive: false, covers: [], holder: 'service' },
  'limits:admin': { says: 'Administer limits', passive: false, covers: [], holder: 'service' },
  'standing:publish': { says: 'Publish the standing of agents', passive: false, covers: [], holder: 'service' },
  'approvals:decide': { says: 'Decide approvals', passive: false, covers: [], holder: 'service' },
} as const satisfies Record<
  string,
  { says: string; passive: boolean; covers: readonly string[]; holder: 'client' | 'person' | 'service' }
>;
export type Scope = keyof typeof SCOPES;
export const isScope = (value: string): value is Scope => Object.hasOwn(SCOPES, value);

/** RFC 6749 §3.3: a space-delimited, case-sensitive set. Unknown names are dropped, never granted. */
export const parseScopes = (scope: string): ReadonlySet<Scope> => new Set(scope.split(' ').filter(isScope));

/** RFC 6749 §3.3: scope-token. Longer ones are nobody's names. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/**
 * The scopes of a verified token, names that are not in the table included: those are of somebody's own tools behind the
 * guard, and the issuer has granted them. What is no scope-token is dropped.
 */
export const heldScopes = (scope: string): ReadonlySet<string> =>
  new Set(scope.split(' ').filter((name) => SCOPE_TOKEN.test(name)));

/** The scopes of the table that cover another, with what they cover. */
const COVERING = Object.entries(SCOPES).filter(([, row]) => row.covers.length > 0) as [
  string,
  { covers: readonly string[] },
][];

/** True when `held` has `needed` itself or a scope that covers it. A scope that is not in the table covers itself only. */
export const covers = (held: ReadonlySet<string>, needed: string): boolean =>
  held.has(needed) || COVERING.some(([scope, row]) => held.has(scope) && row.covers.includes(needed));

/** The scopes of `needed` that `held` neither has nor covers, in the order of `needed`. */
export const missingScopes = <S extends string>(held: ReadonlySet<string>, needed: Iterable<S>): S[] =>
  [...needed].filter((scope) => !covers(held, scope));

/**
 * The scopes of `needed` that a caller can never be granted.
 * @param ceiling undefined = the issuer does not say, so nothing is known to be beyond it
 */
export const beyondCeiling = <S extends string>(
  ceiling: ReadonlySet<string> | undefined,
  needed: Iterable<S>,
): readonly S[] => (ceiling === undefined ? [] : missingScopes(ceiling, needed));

/**
 * What a token gets: requested ∩ ceiling of the client ∩ scopes of the resource ∩ (for a person's grant) scopes of the
 * user's roles. A request that names no scope asks for the passive ones of the ceiling.
 * @param requested the `scope` parameter as it came; undefined or blank = none named
 * @param bounds    each set bounds the grant; a covering scope in a bound lets its covered ones through
 * @returns the granted scopes in the order of the table
 */
export function grantScopes(
  requested: string | undefined,
  ceiling: ReadonlySet<Scope>,
  ...bounds: readonly ReadonlySet<Scope>[]
): Scope[] {
  const named = requested?.trim();
  const asked = named ? parseScopes(named) : new Set([...ceiling].filter((scope) => SCOPES[scope].passive));
  return (Object.keys(SCOPES) as Scope[]).filter(
    (scope) => asked.has(scope) && [ceiling, ...bounds].every((bound) => covers(bound, scope)),
  );
}
