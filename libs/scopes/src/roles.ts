import type { Scope } from './scopes.js';

const agentUser = [
  'customer:read',
  'ticket:read',
  'ticket:create',
  'account:calculate',
  'sentiment:analyze',
] as const satisfies Scope[];
const analyst = ['security:read'] as const satisfies Scope[];

/** What a person may grant to an agent, or do at our own APIs, by role. A user's scopes are the union over the roles. */
export const ROLES = {
  'agent-user': agentUser,
  supervisor: [...agentUser, 'customer:write', 'customer:delete', 'customer:list', 'approvals:give'],
  analyst,
  responder: [...analyst, 'security:respond', 'approvals:give'],
  admin: ['admin:clients', 'admin:users', 'admin:keys'],
} as const satisfies Record<string, readonly Scope[]>;
export type Role = keyof typeof ROLES;
export const isRole = (value: string): value is Role => Object.hasOwn(ROLES, value);

export const scopesOfRoles = (roles: Iterable<Role>): ReadonlySet<Scope> =>
  new Set([...roles].flatMap((role): readonly Scope[] => ROLES[role]));
