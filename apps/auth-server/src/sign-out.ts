import type { EventLog } from '@portcullis/bus/outbox';
import type { IncomingMessage } from 'node:http';
import { Provider } from 'oidc-provider';
import type { Artefacts } from './artefacts.js';
import { authEvent } from './audit.js';
import type { ClientRecord } from './clients.js';

export interface SignOutPorts {
  readonly artefacts: Artefacts;
  readonly events: EventLog;
  /** a client that may act now, whatever its tenant */
  activeClient(clientId: string): Promise<ClientRecord | undefined>;
  /** the caller's address */
  addressOf(request: IncomingMessage): string;
  /** ms since epoch */
  now(): number;
}

/**
 * A sign-out is on record and ends every grant that came of the browser's session. oidc-provider knows the last one of each
 * client only, while each yes of a person is a grant of its own. What cannot be put on record, or ended, ends nothing, and
 * the person can try again.
 */
export function endGrantsAtSignOut(provider: Provider, ports: SignOutPorts): void {
  const { artefacts, events, addressOf, now } = ports;
  const { prototype } = provider.Session;
  const end = prototype.destroy;
  prototype.destroy = async function () {
    const sub = this.accountId;
    if (sub !== undefined) {
      const tenant = await tenantOfSession(Object.keys(this.authorizations ?? {}), ports);
      const request = Provider.ctx?.req;
      const facts = request === undefined ? {} : { address: addressOf(request).slice(0, 64) };
      // whoever is not known to belong to the default tenant is not named there
      const who = { tenant, ...(tenant !== undefined && { sub }), proven: false };
      await events.append(authEvent('session.ended', who, { ...facts, reason: 'the person signed out' }, now()));
    }
    for (const grantId of await artefacts.grantsOf(this.uid, now())) await provider.Grant.adapter.destroy(grantId);
    await end.call(this);
  };
}

/** A session is of one person, and all its clients are of that person's tenant. */
async function tenantOfSession(clientIds: readonly string[], ports: SignOutPorts): Promise<string | undefined> {
  for (const clientId of clientIds) {
    const client = await ports.activeClient(clientId);
    if (client !== undefined) return client.tenant;
  }
  return undefined;
}
