import { ENVELOPE, isObject } from './envelope.js';
import type { ProtocolHeaders } from './message.js';
import { REVISIONS, type Revision } from './protocol.js';

/**
 * True for the request that nearly all are: of a modern revision, with nothing in its envelope but what has to be there,
 * and headers that say the same. The SDK's own classification of it needs no asking, which costs more than the limiter; a
 * test holds the two against each other. False says nothing: then the SDK is asked.
 */
export function isPlainRequest(body: unknown, headers: ProtocolHeaders): boolean {
  if (!isObject(body)) return false;
  const { jsonrpc, id, method, params } = body;
  if (jsonrpc !== '2.0' || typeof method !== 'string' || method === 'initialize' || headers.method !== method)
    return false;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return false;
  if (Object.keys(body).length !== 4 || !isObject(params)) return false;
  const meta = params['_meta'];
  return isObject(meta) && isPlainEnvelope(meta, headers.version);
}

function isPlainEnvelope(meta: Readonly<Record<string, unknown>>, header: string | undefined): boolean {
  const version = meta[ENVELOPE.version];
  if (version !== header || REVISIONS[version as Revision] !== 'modern') return false;
  const [capabilities, client] = [meta[ENVELOPE.capabilities], meta[ENVELOPE.client]];
  if (!isObject(capabilities) || Object.keys(capabilities).length > 0) return false;
  return Object.keys(meta).length === (client === undefined ? 2 : 3) && (client === undefined || isPlainClient(client));
}

const isPlainClient = (client: unknown): boolean =>
  isObject(client) &&
  typeof client['name'] === 'string' &&
  typeof client['version'] === 'string' &&
  Object.keys(client).length === 2;
