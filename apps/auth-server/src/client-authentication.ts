import { Provider, type Client } from 'oidc-provider';
import { previousSecretOf } from './client-metadata.js';
import { indexOfHash, secretHashes, type SecretHashKey } from './client-secret.js';

export interface ClientAuthenticationPorts {
  /** the present SECRET_HASH_KEY and, while it is being rotated, the one before */
  readonly secretHashKeys: readonly SecretHashKey[];
  /** Stores the secret's hash under the present key in place of `old`, if that is still what is stored. */
  renewSecretHash(client: { readonly tenant: string; readonly clientId: string }, old: string, renewed: string): void;
  /** ms since epoch */
  now(): number;
}

/**
 * Compares the secrets of clients with what is kept of them: the present one and, until its time is up, the one before.
 * A client may present its secret only in the way it is registered for (RFC 7591 §2, `token_endpoint_auth_method`);
 * oidc-provider takes header and body for each other. Every comparison is made, whatever the others say.
 */
export function compareSecrets(provider: Provider, ports: ClientAuthenticationPorts): void {
  provider.Client.prototype.compareClientSecret = function (presented) {
    return compare(this, presented, presentedBy(), ports);
  };
}

function compare(client: Client, presented: string, by: string, ports: ClientAuthenticationPorts): boolean {
  const { secretHashKeys: keys, now } = ports;
  const { clientId, clientSecret: stored = '' } = client;
  const previous = previousSecretOf(client);
  const hashes = secretHashes(keys, clientId, presented);
  const under = indexOfHash(hashes, stored);
  const isPrevious = indexOfHash(hashes, previous?.hash ?? '') >= 0;
  if (by !== client.clientAuthMethod) return false;
  if (under < 0) return isPrevious && previous !== undefined && now() < previous.until;
  const [present] = hashes;
  if (under > 0 && present !== undefined) {
    ports.renewSecretHash({ tenant: client.tenant as string, clientId }, stored, present);
  }
  return true;
}

/** oidc-provider asks only when there is a secret, in one of the two places. */
const presentedBy = (): string =>
  Provider.ctx?.headers.authorization === undefined ? 'client_secret_post' : 'client_secret_basic';
