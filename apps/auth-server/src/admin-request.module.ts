import type { Caller } from '@portcullis/scopes/caller';
import { requestCaller } from '@portcullis/service/bearer.module';
import type { Request } from 'express';
import { tenantQuery } from './admin-clients.js';
import { tenantFor } from './admin-ports.js';

/**
 * Who asks, and about which tenant, where the query may name nothing but a tenant.
 * @throws Refusal scope_insufficient, ZodError
 */
export function asked(request: Request, query: unknown): { readonly caller: Caller; readonly tenant: string } {
  const caller = requestCaller(request);
  return { caller, tenant: tenantFor(caller, tenantQuery.parse(query).tenant) };
}
