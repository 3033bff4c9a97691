import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { demoAccounts, type DemoAccounts } from './demo.js';
import type { LocalAdmin } from './local-admin.js';

/** The half of DATA/admin.json that everybody may know. */
const publicHalf = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
});

/**
 * The local administrator whose key file is at `path`; of the key only its public half is kept.
 * @throws Error that names the file
 */
export const readLocalAdmin = (path: string): LocalAdmin => ({
  jwk: read(path, publicHalf, 'an ES256 key as JWK'),
  uid: process.getuid?.() ?? 0,
});

/** @throws Error that names the file */
export const readDemoAccounts = (path: string): DemoAccounts => read(path, demoAccounts, 'demo accounts');

function read<T>(path: string, schema: z.ZodType<T>, what: string): T {
  let parsed;
  try {
    parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // the error would show a piece of the file, and what is in it are secrets
  }
  if (parsed?.success) return parsed.data;
  throw new Error(`${path} cannot be read, or does not hold ${what}.`);
}
