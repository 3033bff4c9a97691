import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import type { LocalAdmin } from '@portcullis/auth-server/local-admin';
import { writeWhole } from '@portcullis/service/write-file.file';

/**
 * Makes the local administrator's key anew at each start and writes its private half to DATA/admin.json, 0600: who can
 * read that file owns this machine's gate anyway.
 */
export async function makeAdminKey(dir: string): Promise<{ path: string; publicJwk: LocalAdmin['jwk'] }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const path = join(dir, 'admin.json');
  const marks = { alg: 'ES256', use: 'sig', kid: 'local-admin' };
  await writeWhole(path, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...marks }), 0o600);
  const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string };
  return { path, publicJwk: { kty: 'EC', crv: 'P-256', x, y, kid: marks.kid } };
}
