import { createHmac, hkdfSync } from 'node:crypto';
import { sameText } from './constant-time.js';

/** COOKIE_KEY signs what a browser hands back (and, see dpop.ts, a client), each under a key of its own (HKDF, RFC 5869). */
const derived = (key: Uint8Array, use: 'cookies' | 'forms'): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `portcullis/${use}`, 32));

/** What Koa's cookies ask of keygrip, with HMAC-SHA-256 instead of its SHA-1. */
export interface CookieSigner {
  sign(data: string): string;
  verify(data: string, digest: string): boolean;
  /** @returns which key made the digest, 0 = the present one (the cookie is signed anew otherwise), -1 = none */
  index(data: string, digest: string): number;
}

/** @param keys the present COOKIE_KEY and, while it is being rotated, the one before */
export function cookieSigner(keys: readonly Uint8Array[]): CookieSigner {
  const macs = keys.map((key) => derived(key, 'cookies')).map((key) => (data: string) => mac(key, data));
  const index = (data: string, digest: string): number => macs.findIndex((sign) => sameText(sign(data), digest));
  return {
    sign: (data) => macs[0]?.(data) ?? '',
    verify: (data, digest) => index(data, digest) >= 0,
    index,
  };
}

/** The hidden field of our forms: only a page that we made for this interaction can hold it. */
export interface FormToken {
  make(interactionId: string): string;
  fits(interactionId: string, token: unknown): boolean;
}

export function formToken(keys: readonly Uint8Array[]): FormToken {
  const macs = keys.map((key) => derived(key, 'forms')).map((key) => (id: string) => mac(key, id));
  return {
    make: (id) => macs[0]?.(id) ?? '',
    fits: (id, token) => typeof token === 'string' && macs.some((make) => sameText(make(id), token)),
  };
}

const mac = (key: Uint8Array, data: string): string => createHmac('sha256', key).update(data).digest('base64url');
