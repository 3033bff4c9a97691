import { secretsOf } from '@portcullis/service/secrets.fixture';
import { jsonOf, type Gate } from './gate.fixture.js';

export interface AdminReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** Asks the admin API; `path` is below /admin/v1. A body that is text is sent as it is. */
export async function askAdmin(
  gate: Pick<Gate, 'issuer'>,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<AdminReply> {
  const response = await fetch(`${gate.issuer}/admin/v1${path}`, {
    method,
    headers: {
      ...headers,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: secretsOf(jsonOf(text)) };
}

/** What registers a client that gets plain bearer tokens by itself. */
export const machine = (more: object = {}) => ({
  name: 'Machine',
  auth_method: 'client_secret_basic',
  dpop_bound_access_tokens: false,
  scopes: ['customer:read'],
  ...more,
});
