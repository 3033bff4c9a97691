/** An access token as the token endpoint gave it. */
export interface AccessToken {
  readonly value: string;
  /** ms since epoch */
  readonly expiresAt: number;
}

/** A token with less life than this is not worth sending. */
const MARGIN_MS = 30_000;

/**
 * Keeps tokens in memory, one per resource and set of scopes, for as long as this process runs.
 * @param fetchToken asks the token endpoint; called at most once at a time per key
 * @param now        ms since epoch
 */
export function tokenCache(
  fetchToken: (resource: string, scopes: readonly string[]) => Promise<AccessToken>,
  now: () => number,
): (resource: string, scopes: readonly string[]) => Promise<string> {
  const held = new Map<string, Promise<AccessToken>>();
  return async (resource, scopes) => {
    const key = JSON.stringify([resource, [...scopes].sort()]);
    const renew = (): Promise<AccessToken> => {
      const asked = fetchToken(resource, scopes);
      held.set(key, asked);
      asked.catch(() => held.delete(key));
      return asked;
    };
    const known = held.get(key) ?? renew();
    const token = await known;
    if (token.expiresAt - MARGIN_MS > now()) return token.value;
    // Whoever sees first that it runs out renews it; the others wait for that.
    return (await (held.get(key) === known ? renew() : (held.get(key) ?? renew()))).value;
  };
}
