import type { Signer } from '@portcullis/contract/containment';
import { publicKeyOf } from '@portcullis/guard/statement';
import type { JSONWebKeySet } from 'jose';
import * as z from 'zod';
import { keySetting, whenHardened } from './setting.js';

/** Whose public keys auth-server is told: it has its own, and publishes all. */
export type ToldSigner = Exclude<Signer, 'auth-server'>;
export type ToldKeys = Readonly<Record<ToldSigner, JSONWebKeySet>>;

const noKeys = (): Record<ToldSigner, JSONWebKeySet> => ({
  'security-analytics': { keys: [] },
  'rate-limiter': { keys: [] },
});
const TOLD = Object.keys(noKeys()) as ToldSigner[];
const ENTRY = /^([a-z-]{1,32})=([A-Za-z0-9_-]{43})$/;
const MOST = 8;

/** The key of a service whose statements others act on; the one before it is still believed while it is rotated. */
export const statementKeySetting = () =>
  whenHardened(
    keySetting().describe(
      'the Ed25519 key that signs what this service tells all others, the same in every replica: 32 random bytes as base64url, or two: new,old',
    ),
  );

/**
 * Public keys of those who sign statements: `SIGNER=KEY`, comma-separated, each KEY the 32 bytes of an Ed25519 public key as
 * base64url, which is what the service logs when it starts; two of one signer while it is rotated.
 */
export const statementPublicKeysSetting = () =>
  z.string().transform((text, context): ToldKeys => {
    const keys = noKeys();
    const problem = text
      .split(',', MOST + 1)
      .map((each) => taken(each.trim(), keys))
      .find((each) => each !== undefined);
    const missing = TOLD.find((signer) => keys[signer].keys.length === 0);
    const says =
      problem ?? (missing && `names no key of ${missing}; give ${missing}=KEY, which it logs when it starts`);
    if (says !== undefined) context.addIssue({ code: 'custom', message: says, input: undefined });
    return keys;
  });

/** @returns what is wrong with an entry */
function taken(entry: string, keys: Record<ToldSigner, JSONWebKeySet>): string | undefined {
  const [, name, key] = ENTRY.exec(entry) ?? [];
  const signer = TOLD.find((each) => each === name);
  if (signer === undefined || key === undefined) {
    return `must be SIGNER=KEY, comma-separated; SIGNER is one of ${TOLD.join(', ')}, KEY is 43 characters of base64url`;
  }
  if (keys[signer].keys.length >= 2) return `names more than two keys of ${signer}; keep the new one and the old one`;
  keys[signer].keys.push(publicKeyOf(key));
  return undefined;
}
