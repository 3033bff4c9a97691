import type { Log } from '@portcullis/contract/log';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Who } from './audit.js';
import { tenantOf } from './client-metadata.js';

/** What oidc-provider says of a refusal: `error` and `error_description` to the caller, `error_detail` to us. */
export interface OAuthError {
  readonly error?: string;
  readonly error_description?: string;
  readonly error_detail?: string;
}

/** @returns the error that a request ended with, the last of several, as these events of oidc-provider told */
export function notedErrors(provider: Provider, ...events: readonly string[]): (ctx: object) => OAuthError | undefined {
  const noted = new WeakMap<object, OAuthError>();
  // its types know each event by its own name and arguments
  const emitter = provider as unknown as NodeJS.EventEmitter;
  for (const event of events) emitter.on(event, (ctx: object, error: OAuthError) => void noted.set(ctx, error));
  return (ctx) => noted.get(ctx);
}

/** An error in the words of an event. */
export function reasonOf({ error = 'server_error', error_description, error_detail }: OAuthError): string {
  const detail = error_detail ?? error_description;
  return detail ? `${error}: ${detail}` : error;
}

/** The client of a request, or the name it gave itself; whether it proved anything is the endpoint's to say. */
export function whoAsked({ oidc: { client, params } }: KoaContextWithOIDC): Pick<Who, 'tenant' | 'clientId'> {
  const named = params?.client_id;
  return {
    tenant: client && tenantOf(client),
    clientId: client?.clientId ?? (typeof named === 'string' ? named : undefined),
  };
}

const TOO_BUSY = 'The server cannot take this request now.';
/** The answer in place of one that cannot be put on record. */
export const UNAVAILABLE = { error: 'temporarily_unavailable', error_description: TOO_BUSY } as const;

/** Lets the answer leave when `keep` has resolved; else what leaves is 503, and the log says `otherwise`. */
export async function keptFirst(
  ctx: KoaContextWithOIDC,
  log: Log,
  otherwise: string,
  keep: () => Promise<unknown>,
): Promise<void> {
  try {
    await keep();
  } catch (error) {
    log.error(otherwise, { error });
    ctx.status = 503;
    ctx.set('Retry-After', '1');
    ctx.body = UNAVAILABLE;
  }
}
