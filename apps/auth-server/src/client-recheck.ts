import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { ClientRecord } from './clients.js';

export interface ClientRecheckPorts {
  /** asks the store: a client that may act at this moment */
  activeClientNow(clientId: string): Promise<ClientRecord | undefined>;
  /** ms since epoch */
  now(): number;
}

/**
 * A request that is older than this asks for its client again before a token is signed. With the second that a client is
 * taken to be what it was (client-cache.memory.ts), the answer is younger than the two seconds in which a revocation ends
 * what is signed after it (STILL_KNOWN_MS).
 */
const RECHECK_AFTER_MS = 500;
const arrivals = new WeakMap<object, number>();

/** Notes when each request arrives. */
export function noteArrivals(provider: Provider, { now }: Pick<ClientRecheckPorts, 'now'>): void {
  provider.use((ctx, next) => {
    arrivals.set(ctx, now());
    return next();
  });
}

/**
 * To be asked right before a token is signed: a request may wait on its client's own server for its keys, and the client
 * be disabled meanwhile.
 * @throws errors.InvalidClientAuth
 */
export async function expectStillActive(ports: ClientRecheckPorts, ctx: KoaContextWithOIDC): Promise<void> {
  const age = ports.now() - (arrivals.get(ctx) ?? -Infinity);
  // a clock that was set back tells nothing
  if (age >= 0 && age < RECHECK_AFTER_MS) return;
  const { client } = ctx.oidc;
  if (client && (await ports.activeClientNow(client.clientId)) === undefined) {
    throw new errors.InvalidClientAuth('client not found any more');
  }
}
