import type { EventLog } from '@portcullis/bus/outbox';
import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import { adminEvent } from './audit.js';
import type { Clients } from './clients.js';
import type { SigningKeys } from './signing-keys.js';
import type { Users } from './users.js';

/** What the admin API works with. */
export interface AdminPorts {
  readonly clients: Clients;
  readonly users: Users;
  readonly keys: SigningKeys;
  readonly events: EventLog;
  /** the present SECRET_HASH_KEY */
  readonly secretHashKey: Uint8Array;
  /** ms since epoch */
  now(): number;
  randomBytes(count: number): Uint8Array;
}
export const ADMIN_PORTS = Symbol('admin ports');

/**
 * The tenant a request is about: the caller's own, unless the platform's administrator names another.
 * @throws Refusal scope_insufficient
 */
export function tenantFor(caller: Caller, named: string | undefined): string {
  if (named === undefined || named === caller.tenant) return caller.tenant;
  if (caller.scopes.has('platform:admin')) return named;
  throw new Refusal('scope_insufficient', { scopes: ['platform:admin'] });
}

/** Puts what an administrator did on record. Resolves when it is kept; nothing is changed before that. */
export async function record(
  { events, now }: AdminPorts,
  caller: Caller,
  tenant: string,
  action: string,
  target?: string,
): Promise<void> {
  const data = { action, actor: caller.actor, ...(target !== undefined && { target }) };
  await events.append(adminEvent(tenant, data, now()));
}

/** Looking into another tenant is on record too; looking at one's own things is not. */
export const recordReading = async (
  ports: AdminPorts,
  caller: Caller,
  tenant: string,
  action: string,
  target?: string,
): Promise<void> => {
  if (tenant !== caller.tenant) await record(ports, caller, tenant, action, target);
};
