import type { ClientRecord, Clients } from './clients.js';

/** How long a client is taken to be what it was, ms. Another replica's change counts within this time. */
const KEPT_MS = 1000;
/** More clients than this at once are asked for anew, the longest unasked first. */
const MOST = 5000;

interface Kept {
  /** ms since epoch; when the store was asked */
  readonly at: number;
  readonly answer: Promise<ClientRecord | undefined>;
}

/**
 * Clients as requests ask for them: the store is asked once a second for each, whoever asks meanwhile gets the same
 * answer. What is changed through here counts at once. A client that did not change stays the same object, so that
 * whatever was made of it can be used again.
 * @param now  ms since epoch
 * @param most how many are kept
 */
export function cachedClients(clients: Clients, now: () => number, most = MOST): Clients {
  const kept = new Map<string, Kept>();
  const last = new Map<string, { readonly client: ClientRecord; readonly text: string }>();

  const drop = (clientId: string): void => {
    kept.delete(clientId);
    last.delete(clientId);
  };
  const ask = (clientId: string): Promise<ClientRecord | undefined> => {
    const entry: Kept = { at: now(), answer: clients.find(clientId).then((found) => settle(clientId, entry, found)) };
    kept.delete(clientId);
    kept.set(clientId, entry);
    entry.answer.catch(() => kept.get(clientId) === entry && drop(clientId));
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) drop(oldest);
    return entry.answer;
  };
  const settle = (clientId: string, entry: Kept, found: ClientRecord | undefined): ClientRecord | undefined => {
    // changed, or crowded out, while the store was asked: whoever asked before that gets this answer, and nobody else
    if (kept.get(clientId) !== entry) return found;
    if (found === undefined) {
      // ids that are nobody's are without number
      drop(clientId);
      return undefined;
    }
    const text = JSON.stringify(found);
    const before = last.get(clientId);
    if (before?.text === text) return before.client;
    last.set(clientId, { client: found, text });
    return found;
  };
  const dropping = async <T>(clientId: string, change: Promise<T>): Promise<T> => {
    try {
      return await change;
    } finally {
      drop(clientId);
    }
  };

  return {
    ...clients,
    find(clientId) {
      const entry = kept.get(clientId);
      const age = entry === undefined ? undefined : now() - entry.at;
      // a clock that was set back makes nothing younger
      return entry && age !== undefined && age >= 0 && age < KEPT_MS ? entry.answer : ask(clientId);
    },
    add: (tenant, client, confirm) => dropping(client.clientId, clients.add(tenant, client, confirm)),
    put: (tenant, client) => dropping(client.clientId, clients.put(tenant, client)),
    change: (tenant, clientId, ...more) => dropping(clientId, clients.change(tenant, clientId, ...more)),
    rotateSecret: (tenant, clientId, ...more) => dropping(clientId, clients.rotateSecret(tenant, clientId, ...more)),
    renewSecretHash: (tenant, clientId, ...more) =>
      dropping(clientId, clients.renewSecretHash(tenant, clientId, ...more)),
    remove: (tenant, clientId, ...more) => dropping(clientId, clients.remove(tenant, clientId, ...more)),
  };
}
