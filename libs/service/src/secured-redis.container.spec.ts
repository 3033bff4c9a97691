import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { silentLog, type Log } from '@portcullis/contract/log';
import { Secret } from '@portcullis/contract/secret';
import type { Redis } from '@portcullis/redis/redis';
import { script } from '@portcullis/redis/script';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { IMAGES } from '../../../tools/test/engine.mjs';
import { selfSigned } from './certificate.fixture.js';
import { openSharedRedis } from './redis.wire.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-redis-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
/** The files of whoever has this certificate. */
const pem = (name: string, { cert, key }: { cert: string; key: string }) => ({
  cert: file(`${name}.pem`, cert),
  key: file(`${name}.key`, key),
});
const [server, service] = [selfSigned(), selfSigned()];
const ca = file('server.pem', server.cert);
const ours = pem('service', service);
const theirs = pem('stranger', selfSigned());
const password = randomBytes(16).toString('hex');
const ANYTHING = script('anything', `return redis.call('INCR', KEYS[1])`);

let container: StartedTestContainer;
const opened: Redis[] = [];
beforeAll(async () => {
  const content = (text: string, name: string) => ({ content: text, target: `/tmp/${name}`, mode: 0o644 });
  const tls = '--tls-cert-file /tmp/server.pem --tls-key-file /tmp/server.key --tls-ca-cert-file /tmp/clients.pem';
  container = await new GenericContainer(IMAGES.redis)
    .withCopyContentToContainer([
      content(server.cert, 'server.pem'),
      content(server.key, 'server.key'),
      content(service.cert, 'clients.pem'),
      content(
        `user default off\nuser tools on >${password} ~* -@all +hello +ping +info +eval +evalsha +incr\n`,
        'users.acl',
      ),
    ])
    .withCommand([
      'sh',
      '-c',
      `redis-server --port 0 --tls-port 6380 --tls-auth-clients no ${tls} --aclfile /tmp/users.acl --save '' &
       redis-server --port 0 --tls-port 6381 --tls-auth-clients no ${tls} --aclfile /tmp/users.acl --save '' --maxmemory-policy allkeys-lru &
       exec redis-server --port 0 --tls-port 6379 --tls-auth-clients yes ${tls} --aclfile /tmp/users.acl --save ''`,
    ])
    .withExposedPorts(6379, 6380, 6381)
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections', 3))
    .start();
});
afterEach(() => Promise.all(opened.splice(0).map((redis) => redis.close())));
afterAll(async () => {
  await container?.stop();
  rmSync(folder, { recursive: true });
});

interface Trying {
  readonly scheme?: string;
  readonly host?: string;
  readonly port?: number;
  readonly as?: string;
  readonly ca?: string | undefined;
  readonly mode?: 'hardened' | 'embedded';
  readonly log?: Log;
  readonly shows?: { readonly cert: string; readonly key: string } | undefined;
}
/** As a service opens it, by its settings. */
async function open(trying: Trying = {}): Promise<Redis> {
  const {
    scheme = 'rediss',
    host = '127.0.0.1',
    port = 6379,
    as = `tools:${password}`,
    mode = 'hardened',
    log = silentLog,
  } = trying;
  const shows = 'shows' in trying ? trying.shows : ours;
  const redis = await openSharedRedis(
    {
      PORTCULLIS_MODE: mode,
      REDIS_URL: new Secret(`${scheme}://${as}@${host}:${container.getMappedPort(port)}`),
      REDIS_SSL_CA_FILE: 'ca' in trying ? trying.ca : ca,
      REDIS_SSL_CERT_FILE: shows?.cert,
      REDIS_SSL_KEY_FILE: shows?.key,
      REDIS_SENTINEL_USERNAME: undefined,
      REDIS_SENTINEL_PASSWORD: undefined,
    },
    'mcp-server',
    log,
  );
  opened.push(redis!);
  return redis!;
}
const refused = async (trying: Trying): Promise<Error> =>
  open(trying).then(
    () => new Error('it was let in'),
    (error: Error) => error,
  );

describe('rediss', () => {
  test('is encrypted, to a server whose certificate is trusted, by a service that shows its own and logs in', async () => {
    const redis = await open();
    expect(await redis.run(ANYTHING, ['{a}:n'], [])).toBe(1);
    await expect(redis.send('get', '{a}:n')).rejects.toMatchObject({ code: 'NOPERM' });
  });

  test('needs no certificate of ours where the server asks for none', async () => {
    await (await open({ port: 6380, shows: undefined })).ping();
  });

  test.each<[string, Trying, RegExp]>([
    ['a server that nobody vouches for', { ca: undefined }, /SELF_SIGNED|UNABLE_TO_VERIFY|CERT/],
    ['a server that a stranger vouches for', { ca: theirs.cert }, /SELF_SIGNED|UNABLE_TO_VERIFY|CERT/],
    ['a server of another name', { host: 'localhost' }, /ALTNAME|CERT/],
    ['no certificate of ours', { shows: undefined }, /^Redis/],
    ['a certificate that the server does not trust', { shows: theirs }, /^Redis/],
    ['a wrong password', { as: 'tools:hunter2' }, /WRONGPASS/],
    ['a user of another name', { as: `default:${password}` }, /WRONGPASS/],
    ['no encryption', { scheme: 'redis' }, /^Redis/],
  ])('is not used with %s, and no word of it tells the password', async (_what, trying, says) => {
    const error = await refused(trying);
    expect(error.message).toMatch(says);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toMatch(new RegExp(`hunter2|${password}`));
  });
});

describe('a server that would throw away what it was told when its memory is full', () => {
  test('keeps a hardened service from starting, which says what to change', async () => {
    const error = await refused({ port: 6381 });
    expect(error).toMatchObject({ name: 'SettingsError', problems: [{ variable: 'REDIS_URL' }] });
    expect(error.message).toContain('maxmemory-policy must be noeviction');
    expect(error.message).not.toContain(password);
  });

  test('is used in embedded mode, and is on record', async () => {
    const errors: unknown[] = [];
    const log: Log = { ...silentLog, error: (message, facts) => void errors.push([message, facts]) };
    await (await open({ port: 6381, mode: 'embedded', log })).ping();
    expect(errors).toMatchObject([[expect.any(String), { problem: expect.stringContaining('allkeys-lru') }]]);
  });
});
