import { leaseRequest, limitQuestion, settleRequest, type LimitQuestion } from '@portcullis/contract/limits';
import { ApiProblem } from '@portcullis/service/problem';
import * as z from 'zod';
import type { Asker } from './asker.js';

/** Body of `POST /v1/decide`: a tenant that is not named is the caller's, never the default one. */
export const decideRequest = limitQuestion.extend({ tenant: limitQuestion.shape.tenant.unwrap().optional() });

type OfTenants = Pick<Asker, 'tenant' | 'allTenants'>;
type InTenant<T> = T & { readonly tenant: string };

/**
 * The question that a request asks, on the tenant of its token.
 * @throws ZodError for a body that is none, ApiProblem 403 for one that names another tenant where the caller has only its own
 */
export const questionOf = (caller: OfTenants, body: unknown): InTenant<LimitQuestion> =>
  inTenant(caller, decideRequest.parse(body));

/** What a request settles. @throws as {@link questionOf} */
export const settlementOf = (caller: OfTenants, body: unknown): InTenant<z.output<typeof settleRequest>> =>
  inTenant(caller, settleRequest.parse(body));

/** What a request gives back. @throws as {@link questionOf} */
export const releaseOf = (caller: OfTenants, body: unknown): InTenant<z.output<typeof leaseRequest>> =>
  inTenant(caller, leaseRequest.parse(body));

function inTenant<T extends { readonly tenant?: string | undefined }>(
  { tenant: own, allTenants }: OfTenants,
  asked: T,
): InTenant<T> {
  const { tenant = own } = asked;
  if (tenant === undefined) throw new z.ZodError([{ ...NO_TENANT, input: asked }]);
  if (tenant === own || allTenants) return { ...asked, tenant };
  throw new ApiProblem(403, 'tenant_forbidden', 'A token asks about its own tenant only.');
}

const NO_TENANT = { code: 'custom' as const, path: ['tenant'], message: 'is missing. This caller has none of its own' };
