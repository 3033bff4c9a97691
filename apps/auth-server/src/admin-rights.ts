import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { RESOURCES } from '@portcullis/scopes/resources';
import { scopesOfRoles, type Role } from '@portcullis/scopes/roles';
import { SCOPES, type Scope } from '@portcullis/scopes/scopes';
import { ApiProblem } from '@portcullis/service/problem';

/*
 * What an administrator may do to whom. The scope of the endpoint and the tenant are checked before; this is about rights
 * that would come with what is changed: whoever holds somebody's secret, key or password can be them.
 */

/** An administrator, with what they hold beside their token. */
export interface Administrator extends Pick<Caller, 'scopes' | 'sub'> {
  /** their own roles, where they are a person */
  readonly roles: readonly Role[];
}

const reserved = (scope: Scope): boolean => SCOPES[scope].holder !== 'client';
/** What no client may have, and yet comes with a role for those who work with agents: to approve a call is to say yes to one. */
const OF_SUPERVISORS: ReadonlySet<Scope> = new Set(['approvals:give']);
/** Tokens for this API cannot carry them, so whoever hands them out has them by a role. */
const isOfAnotherApi = (scope: Scope): boolean => !(RESOURCES.authAdmin as readonly Scope[]).includes(scope);

/**
 * Scopes of people and services in a client's ceiling are the platform administrator's to give.
 * @throws Refusal scope_insufficient
 */
export function mayHandOut(caller: Caller, scopes: readonly Scope[]): void {
  const beyond = scopes.filter(reserved);
  if (beyond.length > 0) {
    expectScope(caller, 'platform:admin', `Only the platform's administrator hands out ${beyond.join(' ')}.`);
  }
}

/**
 * Who acts on all tenants is the platform administrator's to say, who alone does so.
 * @throws Refusal scope_insufficient
 */
export function mayGiveAllTenants(caller: Caller, wanted: boolean | undefined): void {
  if (wanted) expectScope(caller, 'platform:admin', "Only the platform's administrator gives a service all tenants.");
}

/**
 * A client that may have such scopes is the platform administrator's in everything: its secret, its keys, whether its
 * tokens are bound, its ceiling, its end.
 * @throws Refusal scope_insufficient
 */
export function mayChangeClient(caller: Caller, { scopes }: { readonly scopes: readonly Scope[] }): void {
  const beyond = scopes.filter(reserved);
  if (beyond.length > 0) {
    const hint = `Only the platform's administrator changes a client that may have ${beyond.join(' ')}.`;
    expectScope(caller, 'platform:admin', hint);
  }
}

/**
 * Roles for agents are everybody's to give who administers users; a role that is more than that only theirs who have what
 * it gives. So it is with changing, removing and revoking somebody who has the role.
 * @throws Refusal scope_insufficient
 */
export function mayGiveRoles(admin: Administrator, roles: readonly Role[]): void {
  if (admin.scopes.has('platform:admin')) return;
  const own = scopesOfRoles(admin.roles);
  const has = (scope: Scope): boolean => admin.scopes.has(scope) || (isOfAnotherApi(scope) && own.has(scope));
  const beyond = [...scopesOfRoles(roles)].filter(
    (scope) => reserved(scope) && !OF_SUPERVISORS.has(scope) && !has(scope),
  );
  if (beyond.length === 0) return;
  const hint = `Only an administrator who has ${beyond.join(' ')} decides about a person who has it.`;
  throw insufficient(beyond.some(isOfAnotherApi) ? ['platform:admin'] : beyond, hint);
}

/**
 * Nobody raises themselves, and no tenant loses its last administrator by their own hand.
 * @throws ApiProblem 403
 */
export function notThemselves({ sub }: Pick<Caller, 'sub'>, userId: string): void {
  if (sub !== userId) return;
  throw new ApiProblem(403, 'forbidden', 'Nobody changes their own roles or state. Ask another administrator.');
}

/** @throws Refusal scope_insufficient */
export function expectScope({ scopes }: Pick<Caller, 'scopes'>, needed: Scope, hint?: string): void {
  if (!scopes.has(needed)) throw insufficient([needed], hint);
}

const insufficient = (scopes: readonly Scope[], hint: string | undefined): Refusal =>
  new Refusal('scope_insufficient', { scopes, ...(hint !== undefined && { hint }) });
