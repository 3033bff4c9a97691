import { limitQuestion, type LimitQuestion } from '@portcullis/contract/limits';
import type { Caller } from '@portcullis/scopes/caller';
import { ApiProblem } from '@portcullis/service/problem';

/** Body of `POST /v1/decide`: a tenant that is not named is the caller's, never the default one. */
const decideRequest = limitQuestion.extend({ tenant: limitQuestion.shape.tenant.unwrap().optional() });

/**
 * The question that a request asks, on the tenant of its token.
 * @throws ZodError for a body that is none, ApiProblem 403 for one that names another tenant
 */
export function questionOf({ tenant }: Caller, body: unknown): LimitQuestion & { readonly tenant: string } {
  const asked = decideRequest.parse(body);
  if (asked.tenant !== undefined && asked.tenant !== tenant) {
    throw new ApiProblem(403, 'tenant_forbidden', 'A token asks about its own tenant only.');
  }
  return { ...asked, tenant };
}
