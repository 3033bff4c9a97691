import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDemoAccounts, readLocalAdmin } from './embedded-accounts.file.js';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-accounts-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (text: string): string => {
  const path = join(dir, 'file.json');
  writeFileSync(path, text);
  return path;
};
const KEY = { kty: 'EC', crv: 'P-256', x: 'x1', y: 'y1', d: 'the-private-half', kid: 'local-admin', alg: 'ES256' };

test('of the key of the local administrator only the public half is kept', () => {
  const { jwk, uid } = readLocalAdmin(file(JSON.stringify(KEY)));
  expect(jwk).toEqual({ kty: 'EC', crv: 'P-256', x: 'x1', y: 'y1', kid: 'local-admin' });
  expect(uid).toBe(process.getuid?.() ?? 0);
});

test.each([
  ['that is not there', undefined],
  ['that is no JSON', '{"d":"the-private-half"'],
  ['of another kind of key', JSON.stringify({ ...KEY, kty: 'RSA' })],
])('a file %s is named, and nothing of it is shown', (_what, text) => {
  const path = text === undefined ? join(dir, 'absent.json') : file(text);
  for (const read of [readLocalAdmin, readDemoAccounts]) {
    let thrown: unknown;
    try {
      read(path);
    } catch (error) {
      thrown = error;
    }
    const { message, cause } = thrown as Error;
    expect(message).toContain(path);
    expect(`${message} ${String(cause)}`).not.toContain('the-private-half');
  }
});
