import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { ALL_TENANTS } from './audit-store.js';

/**
 * The tenants a caller may ask about: its own, or with platform:admin the one it names, or all.
 * @param asked the `tenant` of the query
 * @returns a tenant, or {@link ALL_TENANTS}
 * @throws Refusal scope_insufficient for another tenant, whether there is such a one or not
 */
export function reachOf(caller: Caller, asked: string | undefined): string {
  if (caller.scopes.has('platform:admin')) return asked ?? ALL_TENANTS;
  if (asked !== undefined && asked !== caller.tenant)
    throw new Refusal('scope_insufficient', { scopes: ['platform:admin'] });
  return caller.tenant;
}
