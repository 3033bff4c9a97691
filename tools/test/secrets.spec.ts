import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { secretsFolder, secretsPrinted } from './secrets.mjs';

const fresh = () => randomBytes(32).toString('base64url');
const jwt = () =>
  `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{"sub":"someone"}').toString('base64url')}.${fresh()}${fresh()}`;

describe('what the tests printed', () => {
  test('holds no secret when there is none', () => {
    expect(secretsPrinted(`ok 1\nok 2 eyJ pcs_short {"d":"short"}\n`, [['code', fresh()]])).toEqual([]);
  });

  test.each<[string, () => string]>([
    ['a client secret', () => `pcs_${fresh()}`],
    ['a JWT with its signature', jwt],
    ['a private key (PEM)', () => '-----BEGIN EC PRIVATE KEY-----'],
    ['a private key (JWK)', () => `{"kty":"EC","d": "${fresh()}"}`],
  ])('%s is found by its shape, and not shown', (what, make) => {
    const planted = make();
    const found = secretsPrinted(`one\ntwo ${planted} two\n`, []);
    expect(found).toEqual([`${what} in line 2 of what the tests printed`]);
  });

  test('a secret that a test was given is found wherever it stands, in colour too', () => {
    const code = fresh();
    const text = `one\n\u001b[31m${code}\u001b[39m\n${code.slice(0, 10)}\u001b[7m${code.slice(10)}\u001b[27m`;
    expect(secretsPrinted(text, [['code', code]])).toEqual([
      'a secret (code) in line 2 of what the tests printed',
      'a secret (code) in line 3 of what the tests printed',
    ]);
  });
});

describe('a process that the tests started', () => {
  let cache: string;
  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), 'secrets-'));
  });
  afterAll(() => rmSync(cache, { recursive: true }));

  /** Makes a secret as a fixture does, and prints it, or something else. */
  const run = (folder: string, prints: string): string => {
    const root = join(import.meta.dirname, '../..');
    const fixture = join(root, 'libs/service/src/secrets.fixture.ts');
    const script = `const { secret } = await import(${JSON.stringify(fixture)});
      const value = secret('access token', (await import('node:crypto')).randomBytes(32).toString('base64url'));
      console.log(${prints});`;
    const sources = ['--conditions=@portcullis/source', '--import', '@swc-node/register/esm-register'];
    const args = ['--disable-warning=ExperimentalWarning', ...sources, '--input-type=module', '-e', script];
    const env = {
      PATH: process.env.PATH,
      PORTCULLIS_SECRETS_DIR: folder,
      SWC_NODE_PROJECT: join(root, 'tsconfig.base.json'),
    };
    return execFileSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  };

  test.each([
    ['prints the secret that it made', 'value', ['a secret (access token) in line 1 of what the tests printed']],
    [
      'prints it in the middle of other text',
      '`{"token":"${value}"}`',
      ['a secret (access token) in line 1 of what the tests printed'],
    ],
    ['keeps it to itself', '"all is well"', []],
  ])('that %s is told from others', (_says, prints, found) => {
    const secrets = secretsFolder(cache);
    const printed = run(secrets.folder, prints);
    expect(secrets.read()).toHaveLength(1);
    expect(secretsPrinted(printed, secrets.read())).toEqual(found);
    expect((statSync(secrets.folder).mode & 0o777).toString(8)).toBe('700');
    secrets.remove();
  });
});
