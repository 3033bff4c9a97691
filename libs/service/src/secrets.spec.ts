import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectNoSecrets, secret, secretsIn, secretsOf } from './secrets.fixture.js';

const fresh = () => randomBytes(32).toString('base64url');

test('a secret in a text is found and named by its kind only', () => {
  const value = secret('client secret', fresh());
  expect(() => expectNoSecrets('the log', `before ${value} after`)).toThrow(
    'the log holds what must not be there: client secret',
  );
  expect(() => expectNoSecrets('the log', `before ${value} after`)).not.toThrow(value);
  expectNoSecrets('the log', `before ${value.slice(1)} after`);
});

test('every secret of an answer is remembered, however deep it lies', () => {
  const [token, key, word] = [fresh(), fresh(), fresh()];
  secretsOf({
    access_token: token,
    expires_in: 900,
    clients: { a: { private_jwk: { d: key, x: fresh() } } },
    users: [{ password: word }],
  });
  expect(secretsIn(`${token} ${key} ${word}`)).toEqual(['access_token', 'd', 'password']);
});

test('what is too short to be told from other text is left out', () => {
  secret('password', 'a');
  expect(secretsIn('a banana')).toEqual([]);
});

test('the run that asks for them is told, in a file of its own', () => {
  const before = process.env['PORTCULLIS_SECRETS_DIR'];
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  process.env['PORTCULLIS_SECRETS_DIR'] = folder;
  try {
    const value = secret('code', fresh());
    const file = join(folder, String(process.pid));
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(['code', value]);
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
  } finally {
    if (before === undefined) delete process.env['PORTCULLIS_SECRETS_DIR'];
    else process.env['PORTCULLIS_SECRETS_DIR'] = before;
    rmSync(folder, { recursive: true });
  }
});
