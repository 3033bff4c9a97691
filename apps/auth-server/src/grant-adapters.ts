import { errors, Provider, type Adapter, type AdapterPayload } from 'oidc-provider';
import { artefactHash, unshelve, type Artefacts } from './artefacts.js';
import type { ClientRecord } from './clients.js';
import { tenantOf } from './client-metadata.js';
import type { EndGrant } from './grant-ending.js';

export interface GrantAdapterPorts {
  readonly artefacts: Artefacts;
  readonly endGrant: EndGrant;
  /** a client that may act now, whatever its tenant */
  activeClient(clientId: string): Promise<ClientRecord | undefined>;
  /** ms since epoch */
  now(): number;
}

/** How long a used code is remembered, ms: no grant lives longer. */
const REMEMBERED_MS = 8 * 60 * 60 * 1000;

/**
 * Codes are good for one use. A used one that comes back, from whomever, with or without the right verifier, ends
 * everything that it gave: refresh tokens and access tokens, JWTs too (RFC 6749 §4.1.2, RFC 9700 §4.5). So does the second
 * of two uses at once. To a client of another tenant it is an unknown code, and nothing happens.
 */
export function codeAdapter(ports: GrantAdapterPorts, codes: Adapter): Adapter {
  const { artefacts, now } = ports;
  const replayed = async (payload: AdapterPayload): Promise<never> => {
    const tenant = await ownerOf(ports, payload);
    const why = 'its authorization code came back after it had been used';
    if (tenant !== undefined) await endOf(ports, tenant, payload, 'code-replay', why);
    throw new errors.InvalidGrant('authorization code already used');
  };
  return {
    ...codes,
    async find(code) {
      const payload = await codes.find(code);
      if (!payload || (await ownerOf(ports, payload)) === undefined) return undefined;
      return payload.consumed === undefined ? payload : replayed(payload);
    },
    async consume(code) {
      const idHash = artefactHash(code);
      if (await artefacts.consume('AuthorizationCode', idHash, now(), now() + REMEMBERED_MS)) return;
      const stored = await artefacts.find('AuthorizationCode', idHash, now());
      // gone: the other use ended the grant already
      if (stored === undefined) throw new errors.InvalidGrant('authorization code already used');
      await replayed(unshelve('AuthorizationCode', code, stored));
    },
  };
}

/** Grants that oidc-provider drops, at a logout, take their access tokens along. */
export function grantAdapter(ports: GrantAdapterPorts, grants: Adapter): Adapter {
  return {
    ...grants,
    async destroy(grantId) {
      const grant = await grants.find(grantId);
      // whichever client, of whatever tenant, sent the person here to sign out
      const tenant = grant?.clientId && (await ports.activeClient(grant.clientId))?.tenant;
      if (tenant) await endOf(ports, tenant, { ...grant, grantId }, 'logout', 'the person signed out');
      await grants.destroy(grantId);
    },
  };
}

/** @returns the tenant whose it is; undefined when a client of another tenant asks, or its own is there no more */
async function ownerOf(ports: GrantAdapterPorts, { clientId }: AdapterPayload): Promise<string | undefined> {
  const asking = Provider.ctx?.oidc.client;
  if (asking !== undefined && asking.clientId === clientId) return tenantOf(asking);
  const tenant = clientId === undefined ? undefined : (await ports.activeClient(clientId))?.tenant;
  return asking === undefined || tenantOf(asking) === tenant ? tenant : undefined;
}

async function endOf(
  ports: GrantAdapterPorts,
  tenant: string,
  payload: AdapterPayload,
  ending: Parameters<EndGrant>[1],
  why: string,
): Promise<void> {
  const { grantId, clientId, accountId } = payload;
  if (!grantId || !clientId || !accountId) return;
  await ports.endGrant({ tenant, grantId, clientId, sub: accountId }, ending, why);
}
