import type { Scope } from '@portcullis/scopes/scopes';
import { apiAt, type Api, type ApiName } from './api.js';
import type { Ask } from './ask.js';
import { clientAssertion } from './assertion.js';
import type { Published } from './discovery.js';
import { NotDone, WrongUse } from './faults.js';
import type { Ready } from './ready.js';
import { sameServer } from './ready.js';
import { tokenCache, type AccessToken } from './token-cache.js';
import { tokenAnswer, withAssertion } from './token-request.js';

/** What the local administrator works with. */
export interface AdminPorts {
  readonly ask: Ask;
  /** ms since epoch */
  now(): number;
  /** fresh and random */
  newId(): string;
}

/** Opens one of the gate's APIs with tokens for it, made when they are needed and kept in memory only. */
export type AdminApis = (name: ApiName, scopes: readonly Scope[]) => Api;

/**
 * The gate's APIs as the local administrator sees them.
 * @param key private JWK from the file that the ready file names
 * @throws WrongUse when the discovered authorization server is not the one of the ready file: the key proves nothing there
 */
export function adminApis(
  ready: Ready,
  { issuer, resource, tokenEndpoint }: Published,
  key: Readonly<Record<string, unknown>>,
  { ask, now, newId }: AdminPorts,
): AdminApis {
  for (const url of [issuer, tokenEndpoint]) {
    if (sameServer(url, ready.authServer)) continue;
    throw new WrongUse(
      `The local administrator's key is not used: the gate points at ${url}, its ready file at ${ready.authServer}.`,
    );
  }
  const fetchToken = async (audience: string, scopes: readonly string[]): Promise<AccessToken> => {
    const assertion = await clientAssertion(key, issuer, now(), newId());
    const answer = tokenAnswer(await ask(tokenEndpoint, withAssertion(assertion, audience, scopes)));
    if (answer.token === undefined) {
      throw new NotDone(`The gate gave the local administrator no token: ${answer.says ?? answer.error}.`);
    }
    return { value: answer.token, expiresAt: now() + answer.expiresInSeconds * 1000 };
  };
  const tokens = tokenCache(fetchToken, now);
  const apis: Record<ApiName, { audience: string; base: string }> = {
    authAdmin: { audience: `${issuer}/admin`, base: `${ready.authServer}/admin/v1` },
    mcpAdmin: { audience: `${new URL(resource).origin}/admin`, base: `${ready.mcpServer}/admin/v1` },
    analytics: { audience: `${ready.analytics}/v1`, base: `${ready.analytics}/v1` },
  };
  return (name, scopes) =>
    apiAt(
      apis[name].base,
      (beside) => tokens(apis[name].audience, [...scopes, ...beside.filter((scope) => !scopes.includes(scope))]),
      ask,
    );
}
