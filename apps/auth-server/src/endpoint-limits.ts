import { networkOf } from '@portcullis/guard/addresses';
import type { WindowRule } from '@portcullis/limits/window';
import { errors, Provider, type Client, type KoaContextWithOIDC } from 'oidc-provider';
import { tenantOf } from './client-metadata.js';
import type { Windows } from './windows.memory.js';

const perMinute = (limit: number): WindowRule => ({ limit, windowMs: 60_000 });

/** How much of what costs something that stays (an event, a row, a message) may be asked for. */
export const ENDPOINT_RULES = {
  /** failed requests of a network, or of a client that proved itself: further ones are told 429, and are no event each */
  failuresOnRecord: perMinute(60),
  /** failed requests of a network: from then on nothing of it is looked at */
  failures: perMinute(600),
  /** pushed requests in the name of a public client, from one network */
  pushes: perMinute(60),
  /** pushed requests of a client that proved itself */
  provenPushes: perMinute(600),
  /** tokens and grants that one client, or one administrator, revokes: every service remembers each */
  revocations: perMinute(600),
} as const satisfies Readonly<Record<string, WindowRule>>;
export type EndpointRules = Readonly<Record<keyof typeof ENDPOINT_RULES, WindowRule>>;

export interface EndpointLimitPorts {
  readonly windows: Windows;
  /** {@link ENDPOINT_RULES} unless a test has others */
  readonly rules: EndpointRules;
  /** the caller's address */
  addressOf(request: KoaContextWithOIDC['req']): string;
}

/** Answers of /par, /token, /revoke and /introspect that are no event: too many like them are. */
const unrecorded = new WeakSet<object>();
export const isUnrecorded = (ctx: object): boolean => unrecorded.has(ctx);

const PATHS = new Set(['/par', '/token', '/revoke', '/introspect']);
/** Not the end of a request: its client goes on (RFC 9449 §8), or shown-token-endpoints.ts does. */
const NO_FAILURES = new Set(['use_dpop_nonce', 'unsupported_token_type']);

/**
 * Holds back whoever fails on and on at the endpoints that clients prove themselves at. Up to a first bound failures are
 * answered as they are; beyond it they are told to wait, while whoever shares the network and has the right
 * credentials is served; beyond a second one the network waits. Successes are not counted.
 *
 * To be used behind the audits: what is too much for the record is not put on it.
 * @see RFC 6585 §4, RFC 9126 §2.3
 */
export function limitFailures(provider: Provider, ports: EndpointLimitPorts): void {
  const { windows, rules, addressOf } = ports;
  provider.use(async (context, next) => {
    const ctx = context as unknown as KoaContextWithOIDC;
    if (ctx.method !== 'POST' || !PATHS.has(ctx.path)) return next();
    const wait = windows.waitFor(`failures ${networkOf(addressOf(ctx.req))}`, rules.failures);
    if (wait > 0) return refuse(ctx, wait);
    await next();
    const { error } = (ctx.body ?? {}) as { error?: string };
    if (ctx.status >= 400 && ctx.status < 500 && !NO_FAILURES.has(error ?? '')) countFailure(ctx, ports);
  });
}

/** Counts a request that failed. @returns true = too many did: the answer says so, and there is to be no event */
export function countFailure(ctx: KoaContextWithOIDC, { windows, rules, addressOf }: EndpointLimitPorts): boolean {
  const { client } = ctx.oidc;
  const network = networkOf(addressOf(ctx.req));
  const proven = client !== undefined && ctx.status !== 401 && client.clientAuthMethod !== 'none';
  if (!proven) windows.take(`failures ${network}`, rules.failures);
  const who = proven ? `client ${client.clientId}` : `network ${network}`;
  const wait = windows.take(`on record ${who}`, rules.failuresOnRecord);
  if (wait === 0) return false;
  refuse(ctx, wait);
  return true;
}

/** @returns true = the client has revoked too much: the answer says so, and nothing is to be revoked */
export function revokesTooMuch(ctx: KoaContextWithOIDC, client: Client, ports: EndpointLimitPorts): boolean {
  const wait = ports.windows.take(`revocations ${tenantOf(client)}/${client.clientId}`, ports.rules.revocations);
  if (wait > 0) refuse(ctx, wait);
  return wait > 0;
}

/** Lets a client push so many requests, each of which is a row: a public one, which anybody can name, from each network. */
export function limitPushes(provider: Provider, { windows, rules, addressOf }: EndpointLimitPorts): void {
  const { prototype } = provider.PushedAuthorizationRequest;
  const { save } = prototype;
  prototype.save = function (ttl) {
    const ctx = Provider.ctx;
    const client = ctx?.oidc.client;
    if (ctx === undefined || client === undefined) throw new Error('a pushed request without a client');
    const wait =
      client.clientAuthMethod === 'none'
        ? windows.take(`pushes ${client.clientId} ${networkOf(addressOf(ctx.req))}`, rules.pushes)
        : windows.take(`pushes ${client.clientId}`, rules.provenPushes);
    if (wait === 0) return save.call(this, ttl);
    ctx.set('Retry-After', seconds(wait));
    const error = new errors.CustomOIDCProviderError('temporarily_unavailable', TOO_MANY);
    throw Object.assign(error, { status: 429, statusCode: 429 });
  };
}

const TOO_MANY = 'Too many requests. Try again after the stated delay.';
const seconds = (ms: number): string => String(Math.ceil(ms / 1000));

function refuse(ctx: KoaContextWithOIDC, waitMs: number): void {
  unrecorded.add(ctx);
  ctx.status = 429;
  ctx.set('Retry-After', seconds(waitMs));
  ctx.body = { error: 'temporarily_unavailable', error_description: TOO_MANY };
}
