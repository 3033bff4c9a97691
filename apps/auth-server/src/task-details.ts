import type { ResourceUris } from '@portcullis/scopes/resources';
import {
  errors,
  type AuthorizationDetailsForIntrospection,
  type RichAuthorizationRequestsActiveConfiguration,
} from 'oidc-provider';

/** A machine asks for a task of its own, about one customer or about none in particular (RFC 9396 §2). */
export const TASK_TYPE = 'portcullis_task';
export interface TaskDetail {
  readonly type: typeof TASK_TYPE;
  /** the task may touch no other */
  readonly customer_id?: string;
}

type RichAuthorizationRequests = RichAuthorizationRequestsActiveConfiguration & {
  readonly authorizationDetailsForIntrospection: AuthorizationDetailsForIntrospection;
};
/** as the protected server has them */
const CUSTOMER_ID = /^[A-Z0-9]{5,10}$/;
const FIELDS: ReadonlySet<string> = new Set(['type', 'customer_id']);

/**
 * RFC 9396 for oidc-provider, for one type and one grant: machines at /token. A person's grant has its task already, and
 * nobody asks the person about customers.
 */
export const taskDetails = (uris: ResourceUris): RichAuthorizationRequests => ({
  enabled: true,
  types: {
    [TASK_TYPE]: {
      validate({ oidc }, detail) {
        const { grant_type: grantType, authorization_details: all } = oidc.params as Record<string, unknown>;
        if (oidc.route !== 'token' || grantType !== 'client_credentials') {
          throw refused('are for client_credentials; the task of a person is the grant');
        }
        if ((JSON.parse(String(all)) as unknown[]).length !== 1) throw refused('name one task');
        for (const field of Object.keys(detail)) {
          if (!FIELDS.has(field)) throw refused(`of ${TASK_TYPE} have type and customer_id only`);
        }
        const { customer_id: customerId } = detail;
        if (customerId !== undefined && (typeof customerId !== 'string' || !CUSTOMER_ID.test(customerId))) {
          throw refused('name a customer_id that is none: 5 to 10 capital letters or digits');
        }
      },
    },
  },
  authorizationDetailsForGrantSource: () => undefined,
  authorizationDetailsForAccessToken: ({ oidc }, token, source) => {
    const { authorization_details: named } = oidc.params as Record<string, unknown>;
    if (source !== undefined || typeof named !== 'string') return undefined;
    if (token.resourceServer?.audience !== uris.mcp) throw refused(`are for the resource ${uris.mcp}`);
    return JSON.parse(named) as (TaskDetail & Record<string, unknown>)[];
  },
  // introspection-endpoint.ts answers from the claims
  authorizationDetailsForIntrospection: () => undefined,
});

/** What a token was issued for; undefined when its request named no task. */
export const taskDetailOf = ({ rar }: { readonly rar?: readonly unknown[] | undefined }): TaskDetail | undefined =>
  rar?.[0] as TaskDetail | undefined;

const refused = (why: string): errors.InvalidAuthorizationDetails =>
  new errors.InvalidAuthorizationDetails(`authorization_details ${why}`);
