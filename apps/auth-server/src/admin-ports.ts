import type { EventLog } from '@portcullis/bus/outbox';
import type { Caller } from '@portcullis/scopes/caller';
import { ApiProblem } from '@portcullis/service/problem';
import type { Response } from 'express';
import { expectScope, mayChangeClient, mayGiveRoles, type Administrator } from './admin-rights.js';
import { adminEvent, LOCAL_ADMIN } from './audit.js';
import type { SecretHashKey } from './client-secret.js';
import type { Clients } from './clients.js';
import type { KeyUpkeep } from './key-upkeep.js';
import type { Grants } from './grants.js';
import type { Revoke, ToRevoke } from './revoking.js';
import type { SigningKeys } from './signing-keys.js';
import type { Users } from './users.js';
import { etagOf, VersionDiffers } from './versions.js';

/** What the admin API works with. */
export interface AdminPorts {
  readonly clients: Clients;
  readonly users: Users;
  readonly grants: Grants;
  readonly revoke: Revoke;
  /** Counts what an administrator revokes. @returns ms until they may revoke more; 0 = now */
  waitToRevoke(actor: string): number;
  /** tells the other services what was revoked together with a change */
  announceRevocations(): Promise<void>;
  /** what a token that somebody shows stands for; undefined = the tenant has no such token */
  tokenShown(tenant: string, token: string): Promise<Pick<ToRevoke, 'what' | 'id' | 'expires'> | undefined>;
  readonly keys: SigningKeys;
  readonly rotateKeys: KeyUpkeep['rotate'];
  /** why a client's keys may not lie at this URL, undefined = they may */
  jwksUriProblem(uri: string): string | undefined;
  readonly events: EventLog;
  /** the present SECRET_HASH_KEY */
  readonly secretHashKey: SecretHashKey;
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
  expectScope(caller, 'platform:admin');
  return named;
}

/** Puts what an administrator did on record. Resolves when it is kept; nothing is changed before that. */
export async function record(
  { events, now }: AdminPorts,
  caller: Caller,
  tenant: string,
  action: string,
  target?: string,
  reason?: string,
): Promise<void> {
  const data = {
    action,
    actor: caller.actor,
    ...(target !== undefined && { target }),
    ...(reason !== undefined && { reason }),
  };
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

/** The caller with their own roles: what a token for this API cannot say. */
export async function administrator({ users }: AdminPorts, caller: Caller): Promise<Administrator> {
  const self = caller.sub === undefined ? undefined : await users.byId(caller.tenant, caller.sub);
  return { ...caller, roles: self?.roles ?? [] };
}

/**
 * Whoever ends what somebody was given needs the rights to change them; what one has given oneself, one may end.
 * @param of the client, or the person with whatever client; who is not there is nobody to protect
 * @throws Refusal scope_insufficient
 */
export async function mayEnd(
  ports: AdminPorts,
  caller: Caller,
  tenant: string,
  of: { readonly clientId?: string | undefined; readonly sub?: string | undefined },
): Promise<void> {
  if (of.sub !== undefined) {
    const user = of.sub === caller.sub ? undefined : await ports.users.byId(tenant, of.sub);
    if (user !== undefined) mayGiveRoles(await administrator(ports, caller), user.roles);
  } else if (of.clientId === LOCAL_ADMIN) {
    // registered nowhere
    expectScope(caller, 'platform:admin');
  } else if (of.clientId !== undefined) {
    const client = await ports.clients.byId(tenant, of.clientId);
    if (client !== undefined) mayChangeClient(caller, client);
  }
}

/** Says which version an answer shows. */
export function tagged<T extends { readonly version: number }>(response: Response, record: T): T {
  response.setHeader('ETag', etagOf(record));
  return record;
}

/** @throws ApiProblem 412 where the record is another than the caller has seen (RFC 9110 §15.5.13) */
export async function asExpected<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!(error instanceof VersionDiffers)) throw error;
    throw new ApiProblem(412, 'precondition_failed', 'It was changed since you read it. Read it again.');
  }
}
