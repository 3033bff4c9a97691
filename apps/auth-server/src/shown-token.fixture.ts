import { jsonOf, type Gate, type TokenReply } from './gate.fixture.js';

export const SHOWN = ['/revoke', '/introspect'] as const;

/** Shows a token at /revoke or /introspect, at `url` where that is not the issuer's. */
export async function show(
  gate: Pick<Gate, 'issuer'> & { readonly url?: string },
  path: (typeof SHOWN)[number],
  form: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<TokenReply> {
  const response = await fetch(`${gate.url ?? gate.issuer}${path}`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: jsonOf(text) };
}
