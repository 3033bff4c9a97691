import { leaseRequest, limitQuestion, settleRequest, type LimitQuestion } from '@portcullis/contract/limits';
import type { Caller } from '@portcullis/scopes/caller';
import { ApiProblem } from '@portcullis/service/problem';
import type * as z from 'zod';

/** Body of `POST /v1/decide`: a tenant that is not named is the caller's, never the default one. */
export const decideRequest = limitQuestion.extend({ tenant: limitQuestion.shape.tenant.unwrap().optional() });

type Asker = Pick<Caller, 'tenant' | 'allTenants'>;
type InTenant<T> = T & { readonly tenant: string };

/**
 * The question that a request asks, on the tenant of its token.
 * @throws ZodError for a body that is none, ApiProblem 403 for one that names another tenant where the caller has only its own
 */
export const questionOf = (caller: Asker, body: unknown): InTenant<LimitQuestion> =>
  inTenant(caller, decideRequest.parse(body));

/** What a request settles. @throws as {@link questionOf} */
export const settlementOf = (caller: Asker, body: unknown): InTenant<z.output<typeof settleRequest>> =>
  inTenant(caller, settleRequest.parse(body));

/** What a request gives back. @throws as {@link questionOf} */
export const releaseOf = (caller: Asker, body: unknown): InTenant<z.output<typeof leaseRequest>> =>
  inTenant(caller, leaseRequest.parse(body));

function inTenant<T extends { readonly tenant?: string | undefined }>(
  { tenant: own, allTenants }: Asker,
  asked: T,
): InTenant<T> {
  const { tenant = own } = asked;
  if (tenant === own || allTenants) return { ...asked, tenant };
  throw new ApiProblem(403, 'tenant_forbidden', 'A token asks about its own tenant only.');
}
