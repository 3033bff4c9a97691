import type Provider from 'oidc-provider';
import type { Client, ClientMetadata } from 'oidc-provider';
import { clientMetadata } from './client-metadata.js';
import { indexOfHash, secretHashes, type SecretHashKey } from './client-secret.js';
import type { ClientRecord } from './clients.js';

export interface ClientLookupPorts {
  /** a client that may act now, whatever its tenant; the same object while it is the same */
  activeClient(clientId: string): Promise<ClientRecord | undefined>;
  /** the present SECRET_HASH_KEY and, while it is being rotated, the one before */
  readonly secretHashKeys: readonly SecretHashKey[];
}

/** No secret has this hash. */
const NOBODYS_HASH = 'A'.repeat(43);

/**
 * Makes oidc-provider's `Client` of a record once, and again when the record is another object. Its own way makes the
 * metadata, their JSON and a SHA-256 of that at every request, only to find the client that it made before.
 *
 * A client that is not there costs the comparing of a secret too, so that the time does not tell whose secret was wrong
 * from who has none.
 */
export function reuseClients(provider: Provider, { activeClient, secretHashKeys }: ClientLookupPorts): void {
  const made = new WeakMap<ClientRecord, Client>();
  const MadeClient = provider.Client as unknown as new (metadata: ClientMetadata) => Client;
  // what a hint names that nobody has verified yet may be anything
  provider.Client.find = async (clientId: unknown) => {
    if (typeof clientId !== 'string') return undefined;
    const record = await activeClient(clientId);
    if (record === undefined) {
      const hashes = secretHashes(secretHashKeys, clientId, NOBODYS_HASH);
      indexOfHash(hashes, NOBODYS_HASH);
      indexOfHash(hashes, '');
      return undefined;
    }
    const known = made.get(record);
    if (known !== undefined) return known;
    const client = new MadeClient(clientMetadata(record));
    made.set(record, client);
    return client;
  };
}
