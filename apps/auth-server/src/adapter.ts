import { errors, type Adapter, type AdapterFactory } from 'oidc-provider';
import { artefactHash, shelve, unshelve, type Artefacts } from './artefacts.js';
import { codeAdapter, grantAdapter, type GrantAdapterPorts } from './grant-adapters.js';
import { refreshAdapter, type RefreshAdapterPorts } from './refresh-adapter.js';

export interface AdapterPorts extends GrantAdapterPorts, RefreshAdapterPorts {
  readonly artefacts: Artefacts;
  /** ms since epoch */
  now(): number;
}

/** How long a person may take between a request and its answer. */
export const INTERACTION_SECONDS = 30 * 60;
/**
 * A pushed request (RFC 9126) goes after its own lifetime unless somebody began it: its answer comes when the person has
 * signed in. It is kept until then, so that of two who began it at once only one gets the answer.
 */
const PUSHED = 'PushedAuthorizationRequest';

/** Lets oidc-provider keep its things in our tables: one adapter per kind of thing. Clients are client-lookup.ts. */
export const adapterFactory =
  (ports: AdapterPorts): AdapterFactory =>
  (kind) => {
    if (kind === 'RefreshToken') return refreshAdapter(ports);
    const kept = artefactAdapter(kind, ports);
    if (kind === 'AuthorizationCode') return codeAdapter(ports, kept);
    return kind === 'Grant' ? grantAdapter(ports, kept) : kept;
  };

function artefactAdapter(kind: string, { artefacts, now }: AdapterPorts): Adapter {
  return {
    async upsert(id, payload, expiresIn) {
      // everything that comes here has a lifetime; what had none could never be swept
      if (expiresIn === undefined) throw new Error(`${kind} without a lifetime`);
      await artefacts.put(shelve(kind, id, payload, now() + expiresIn * 1000));
    },
    async find(id) {
      const stored = await (kind === PUSHED
        ? artefacts.findAndKeep(kind, artefactHash(id), now(), now() + INTERACTION_SECONDS * 1000)
        : artefacts.find(kind, artefactHash(id), now()));
      return stored && unshelve(kind, id, stored);
    },
    async findByUid(uid) {
      const stored = await artefacts.findSession(uid, now());
      // the id itself is known to the browser only; nobody asks for it on this way
      return stored && unshelve(kind, stored.idHash, stored);
    },
    async consume(id) {
      // oidc-provider looks first and consumes later; of two at once the second must not get through
      if (await artefacts.consume(kind, artefactHash(id), now())) return;
      throw kind === PUSHED
        ? new errors.InvalidRequestUri('request_uri was already used')
        : new errors.InvalidGrant('already consumed');
    },
    destroy: (id) => artefacts.remove(kind, artefactHash(id)),
    revokeByGrantId: (grantId) => artefacts.removeOfGrant(kind, grantId),
    findByUserCode: absent,
  };
}

const absent = (): Promise<never> => Promise.reject(new Error('no feature that is switched on asks for this'));
