import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { demoAccounts, newDemoAccounts, type DemoAccounts } from '@portcullis/auth-server/demo';
import { writeWhole } from '@portcullis/service/write-file.file';

export interface DemoFile {
  readonly path: string;
  readonly accounts: DemoAccounts;
}

/**
 * The demo accounts of DATA/demo.json (0600), made with random secrets at the first start and kept from then on. Where the
 * issuer and the MCP endpoint are is written anew each time, since ports may have changed.
 * @throws Error when the file is there but is not ours; it is left as it is
 */
export async function loadOrMakeDemoAccounts(dir: string, urls: { issuer: string; mcp: string }): Promise<DemoFile> {
  const path = join(dir, 'demo.json');
  const accounts = (await kept(path)) ?? (await newDemoAccounts({ clientSecret, password, privateJwk }));
  await writeWhole(path, `${JSON.stringify({ ...urls, ...accounts }, null, 2)}\n`, 0o600);
  return { path, accounts };
}

async function kept(path: string): Promise<DemoAccounts | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const parsed = demoAccounts.safeParse(jsonOrNothing(text));
  if (!parsed.success) throw new Error(`${path} does not hold demo accounts. Move it away, and new ones are made.`);
  return parsed.data;
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const clientSecret = (): string => randomBytes(32).toString('base64url');
const password = (): string => randomBytes(18).toString('base64url');

async function privateJwk() {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const { x, y, d } = jwk as Record<'x' | 'y' | 'd', string>;
  return { kty: 'EC', crv: 'P-256', x, y, d, kid: randomBytes(8).toString('hex') } as const;
}
