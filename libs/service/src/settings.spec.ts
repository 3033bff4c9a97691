import { Secret } from '@portcullis/contract/secret';
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { common, managementPort } from './common.js';
import { embeddedDefault, keySetting, secretSetting, whenHardened } from './setting.js';
import { describeSettings, readSettings, SettingsError, type Env } from './settings.js';

const key = () => randomBytes(32).toString('base64url');
const schema = z.object({
  ...common,
  PORT: embeddedDefault(common.PORT, '4400'),
  COOKIE_KEY: whenHardened(keySetting()).describe('the key of cookies'),
  STATE_KEY: whenHardened(keySetting()).describe('the key of states'),
  WEBHOOK_TOKEN: secretSetting().optional(),
  TOKEN_LIFE_MINUTES: z.coerce.number('must be minutes').default(15).describe('minutes an access token lives'),
});
const HARDENED: Env = {
  PORT: '8443',
  AUTH_ISSUER: 'https://auth.example',
  MCP_RESOURCE: 'https://mcp.example/mcp',
  RATE_LIMITER_URL: 'https://limits.example',
  ANALYTICS_URL: 'https://analytics.example',
  DATABASE_URL: 'postgres://user:hunter2@db/portcullis',
  REDIS_URL: 'rediss://cache:6379',
  KAFKA_BROKERS: 'kafka-1:9093,kafka-2:9093',
  OUTBOX_DIR: '/var/lib/portcullis/outbox',
  COOKIE_KEY: key(),
  STATE_KEY: key(),
};
const EMBEDDED: Env = { PORTCULLIS_MODE: 'embedded' };

const problemsOf = (env: Env, readFile?: (path: string) => string): Record<string, string> => {
  try {
    readSettings(schema, env, readFile);
    return {};
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, says }) => [variable, says]));
  }
};

describe('hardened mode', () => {
  test('is what every start is in that does not say embedded, and safe settings start', () => {
    for (const mode of [undefined, '', 'hardened', 'production', 'Embedded', 'embedded!', 'development']) {
      expect(readSettings(schema, { ...HARDENED, PORTCULLIS_MODE: mode }).PORTCULLIS_MODE).toBe('hardened');
    }
  });

  test('is not loosened by NODE_ENV', () => {
    expect(problemsOf({ ...HARDENED, AUTH_ISSUER: 'http://auth.example', NODE_ENV: 'development' })).toHaveProperty(
      'AUTH_ISSUER',
    );
  });

  test.each([
    ['an http issuer', { AUTH_ISSUER: 'http://auth.example' }, 'AUTH_ISSUER'],
    ['an http issuer on loopback', { AUTH_ISSUER: 'http://127.0.0.1:4400' }, 'AUTH_ISSUER'],
    ['an http resource', { MCP_RESOURCE: 'http://mcp.example/mcp' }, 'MCP_RESOURCE'],
    ['a resource with another path', { MCP_RESOURCE: 'https://mcp.example/tools' }, 'MCP_RESOURCE'],
    ['a resource with more path', { MCP_RESOURCE: 'https://mcp.example/gate/mcp' }, 'MCP_RESOURCE'],
    ['a resource with a path written otherwise', { MCP_RESOURCE: 'https://mcp.example/a/../mcp' }, 'MCP_RESOURCE'],
    ['a resource without a path', { MCP_RESOURCE: 'https://mcp.example' }, 'MCP_RESOURCE'],
    ['an http rate limiter', { RATE_LIMITER_URL: 'http://limits' }, 'RATE_LIMITER_URL'],
    ['an http analytics service', { ANALYTICS_URL: 'http://analytics' }, 'ANALYTICS_URL'],
    ['an issuer that is no URL', { AUTH_ISSUER: 'auth.example' }, 'AUTH_ISSUER'],
    ['an issuer with a password', { AUTH_ISSUER: 'https://a:hunter2@auth.example' }, 'AUTH_ISSUER'],
    ['an issuer with a query', { AUTH_ISSUER: 'https://auth.example?a=hunter2' }, 'AUTH_ISSUER'],
    ['a store in a folder', { DATABASE_URL: 'pglite://data' }, 'DATABASE_URL'],
    ['a store in memory', { DATABASE_URL: 'pglite://memory' }, 'DATABASE_URL'],
    ['an unknown store', { DATABASE_URL: 'mysql://u:hunter2@db' }, 'DATABASE_URL'],
    ['plain redis', { REDIS_URL: 'redis://:hunter2@cache:6379' }, 'REDIS_URL'],
    ['a list of brokers without a broker', { KAFKA_BROKERS: ' , ' }, 'KAFKA_BROKERS'],
    ['plain Kafka', { KAFKA_SSL: 'false' }, 'KAFKA_SSL'],
    ['a certificate for Redis without its key', { REDIS_SSL_CERT_FILE: '/tls/hunter2' }, 'REDIS_SSL_KEY_FILE'],
    ['a user of sentinels without a password', { REDIS_SENTINEL_USERNAME: 'hunter2' }, 'REDIS_SENTINEL_PASSWORD'],
    ['a user of Kafka without a password', { KAFKA_SASL_USERNAME: 'hunter2' }, 'KAFKA_SASL_PASSWORD'],
    ['a prefix that is none', { KAFKA_TOPIC_PREFIX: 'hunter2/' }, 'KAFKA_TOPIC_PREFIX'],
    ['answers that no disk has the events of', { OUTBOX_SYNC: 'none' }, 'OUTBOX_SYNC'],
    ['an unknown word for what waits for the disk', { OUTBOX_SYNC: 'some' }, 'OUTBOX_SYNC'],
    ['an unknown outbox', { OUTBOX: 'memory' }, 'OUTBOX'],
    ['an unknown word for a full outbox', { OUTBOX_FULL: 'drop' }, 'OUTBOX_FULL'],
    ['an outbox of next to nothing', { OUTBOX_MAX_BYTES: '1000' }, 'OUTBOX_MAX_BYTES'],
    ['an outbox of no number', { OUTBOX_MAX_BYTES: '256 MiB' }, 'OUTBOX_MAX_BYTES'],
    ['demo clients', { DEMO: 'true' }, 'DEMO'],
    ['demo clients in other letters', { DEMO: 'YES' }, 'DEMO'],
    ['demo accounts in a file', { DEMO_FILE: '/demo/hunter2' }, 'DEMO_FILE'],
    ['a local administrator', { LOCAL_ADMIN_FILE: '/admin/hunter2' }, 'LOCAL_ADMIN_FILE'],
    ['a key of 16 bytes', { COOKIE_KEY: randomBytes(16).toString('base64url') }, 'COOKIE_KEY'],
    ['a key of 64 bytes', { COOKIE_KEY: randomBytes(64).toString('base64url') }, 'COOKIE_KEY'],
    ['a key in hex', { COOKIE_KEY: randomBytes(32).toString('hex') }, 'COOKIE_KEY'],
    ['a key with padding', { COOKIE_KEY: randomBytes(32).toString('base64') }, 'COOKIE_KEY'],
    ['a passphrase for a key', { COOKIE_KEY: 'correct horse battery staple hunter2 hunter2' }, 'COOKIE_KEY'],
    ['a key of one letter', { COOKIE_KEY: 'A'.repeat(43) }, 'COOKIE_KEY'],
    ['a second key that is too small', { COOKIE_KEY: `${key()},hunter2` }, 'COOKIE_KEY'],
    ['three keys', { COOKIE_KEY: `${key()},${key()},${key()}` }, 'COOKIE_KEY'],
    ['a token life of 14 minutes', { TOKEN_LIFE_MINUTES: '14' }, 'TOKEN_LIFE_MINUTES'],
    ['a token life of 61 minutes', { TOKEN_LIFE_MINUTES: '61' }, 'TOKEN_LIFE_MINUTES'],
    ['a token life that is no number', { TOKEN_LIFE_MINUTES: 'hunter2' }, 'TOKEN_LIFE_MINUTES'],
    ['a port out of range', { PORT: '65536' }, 'PORT'],
    ['a log level that is none', { LOG_LEVEL: 'hunter2' }, 'LOG_LEVEL'],
    ['a flag that is none', { FORCE_HTTPS: 'hunter2' }, 'FORCE_HTTPS'],
    ['proxies that are no addresses', { TRUSTED_PROXIES: '10.0.0.0/8,hunter2' }, 'TRUSTED_PROXIES'],
    ['a certificate without its key', { TLS_CERT_FILE: '/tls/cert.pem' }, 'TLS_KEY_FILE'],
    ['a key without its certificate', { TLS_KEY_FILE: '/tls/key.pem' }, 'TLS_CERT_FILE'],
    ['a secret given twice', { WEBHOOK_TOKEN: 'hunter2', WEBHOOK_TOKEN_FILE: '/run/a' }, 'WEBHOOK_TOKEN'],
    ['a secret file that is not there', { WEBHOOK_TOKEN_FILE: '/run/hunter2' }, 'WEBHOOK_TOKEN'],
  ])('refuses %s, by its variable and without its value', (_what, change, variable) => {
    const env: Env = { ...HARDENED, ...change };
    const problems = problemsOf(env, () => {
      throw new Error('ENOENT hunter2');
    });
    expect(Object.keys(problems)).toEqual([variable]);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2/);
    const value = env[variable];
    if (value !== undefined && value.length > 5) expect(problems[variable]).not.toContain(value);
  });

  test.each(Object.keys(HARDENED))('refuses to start without %s, also when it is empty or blank', (variable) => {
    for (const value of [undefined, '', '  ']) {
      expect(Object.keys(problemsOf({ ...HARDENED, [variable]: value }))).toEqual([variable]);
    }
  });

  test('names every problem at once, in the order of the schema, one per line, with what to change', () => {
    let said = '';
    try {
      readSettings(schema, {
        ...HARDENED,
        AUTH_ISSUER: 'http://a.example',
        REDIS_URL: '',
        DEMO: '1',
        COOKIE_KEY: 'short',
      });
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said.split('\n')).toEqual([
      'Cannot start: 4 settings are wrong.',
      '  AUTH_ISSUER: must be an https:// URL.',
      '  REDIS_URL: is missing. Set it or REDIS_URL_FILE: the Redis server, a rediss:// URL; rediss+sentinel:// and rediss+cluster:// with several hosts.',
      '  DEMO: makes demo clients, whose secrets lie in a file. Remove it.',
      '  COOKIE_KEY: must be 32 random bytes as base64url (43 characters).',
    ]);
  });

  test('one key has one use: the same key under two names is refused', () => {
    const same = key();
    expect(problemsOf({ ...HARDENED, COOKIE_KEY: same, STATE_KEY: `${key()},${same}` })).toEqual({
      STATE_KEY: 'holds a key of COOKIE_KEY. Give each its own.',
    });
  });

  test('a key that is shared is named beside whatever else is wrong, with its own variable or another', () => {
    const same = key();
    expect(problemsOf({ ...HARDENED, PORT: 'x', COOKIE_KEY: same, STATE_KEY: same })).toMatchObject({
      PORT: expect.any(String),
      STATE_KEY: 'holds a key of COOKIE_KEY. Give each its own.',
    });
    const { STATE_KEY: says } = problemsOf({ ...HARDENED, COOKIE_KEY: same, STATE_KEY: `${same},short` });
    expect(says).toMatch(/must be 32 random bytes.* It also holds a key of COOKIE_KEY/);
  });

  test('forces https unless told otherwise, and binds loopback unless told otherwise', () => {
    expect(readSettings(schema, HARDENED)).toMatchObject({
      FORCE_HTTPS: true,
      HOST: '127.0.0.1',
      MANAGEMENT_HOST: '127.0.0.1',
    });
    expect(readSettings(schema, { ...HARDENED, FORCE_HTTPS: 'false', HOST: '0.0.0.0' })).toMatchObject({
      FORCE_HTTPS: false,
      HOST: '0.0.0.0',
    });
  });
});

describe('embedded mode', () => {
  test('starts with nothing given', () => {
    expect(readSettings(schema, EMBEDDED)).toMatchObject({
      PORTCULLIS_MODE: 'embedded',
      PORT: 4400,
      HOST: '127.0.0.1',
      AUTH_ISSUER: 'http://127.0.0.1:4400',
      FORCE_HTTPS: false,
      DEMO: false,
      TOKEN_LIFE_MINUTES: 15,
      TRUSTED_PROXIES: [],
    });
  });

  test('may answer before the disk has the event, and takes events straight to brokers only where there are some', () => {
    expect(readSettings(schema, { ...EMBEDDED, OUTBOX_SYNC: 'none' }).OUTBOX_SYNC).toBe('none');
    expect(problemsOf({ ...EMBEDDED, OUTBOX: 'direct' })).toEqual({
      OUTBOX: 'direct needs KAFKA_BROKERS. Without brokers, use spool.',
    });
    const brokered = { ...EMBEDDED, OUTBOX: 'direct', KAFKA_BROKERS: '127.0.0.1:9092' };
    expect(readSettings(schema, brokered).OUTBOX).toBe('direct');
  });

  test.each(['0.0.0.0', '::', '192.168.1.7', 'gate.example', '127.0.0.1.evil.example', '*'])(
    'refuses to bind %s',
    (host) => {
      expect(Object.keys(problemsOf({ ...EMBEDDED, HOST: host }))).toEqual(['HOST']);
      expect(Object.keys(problemsOf({ ...EMBEDDED, MANAGEMENT_HOST: host }))).toEqual(['MANAGEMENT_HOST']);
    },
  );

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('binds %s', (host) => {
    expect(readSettings(schema, { ...EMBEDDED, HOST: host }).HOST).toBe(host);
  });
});

describe('reading', () => {
  test('a secret comes as a Secret, from its variable or from the file that X_FILE names', () => {
    const direct = readSettings(schema, { ...HARDENED, WEBHOOK_TOKEN: 'abc' });
    const file = readSettings(schema, { ...HARDENED, WEBHOOK_TOKEN_FILE: '/run/x' }, (path) => `${path}!\n`);
    expect(direct.WEBHOOK_TOKEN).toBeInstanceOf(Secret);
    expect(direct.WEBHOOK_TOKEN?.reveal()).toBe('abc');
    expect(file.WEBHOOK_TOKEN?.reveal()).toBe('/run/x!');
    expect(JSON.stringify(direct)).not.toMatch(/abc|hunter2/);
  });

  test('a hardened rule holds for a value from a file too', () => {
    const { DATABASE_URL: _, ...rest } = HARDENED;
    expect(problemsOf({ ...rest, DATABASE_URL_FILE: '/run/db' }, () => 'pglite://memory')).toHaveProperty(
      'DATABASE_URL',
    );
  });

  test('an empty secret file counts as missing', () => {
    const { COOKIE_KEY: _, ...rest } = HARDENED;
    expect(Object.keys(problemsOf({ ...rest, COOKIE_KEY_FILE: '/run/key' }, () => '\n'))).toEqual(['COOKIE_KEY']);
  });

  test('X_FILE means nothing for what is no secret', () => {
    const { OUTBOX_DIR: _, ...rest } = HARDENED;
    expect(Object.keys(problemsOf({ ...rest, OUTBOX_DIR_FILE: '/run/x' }, () => '/tmp'))).toEqual(['OUTBOX_DIR']);
  });

  test('the endpoint is at /mcp, in every mode, and a resource elsewhere is told so', () => {
    const { MCP_RESOURCE: says } = problemsOf({ ...EMBEDDED, MCP_RESOURCE: 'http://127.0.0.1:4401/v1' });
    expect(says).toMatch(/must have the path \/mcp.*Give https:\/\/HOST\/mcp/);
    const slashed = readSettings(schema, { ...HARDENED, MCP_RESOURCE: 'https://mcp.example:8443/mcp/' });
    expect(slashed.MCP_RESOURCE).toBe('https://mcp.example:8443/mcp');
  });

  test('a key setting holds the new key and then the old one', () => {
    const [fresh, old] = [key(), key()];
    const settings = readSettings(schema, { ...HARDENED, COOKIE_KEY: `${fresh}, ${old}` });
    expect(settings.COOKIE_KEY?.map((each) => each.reveal())).toEqual([fresh, old]);
  });

  test('lists drop blanks, URLs lose a trailing slash, ranges are parsed', () => {
    const settings = readSettings(schema, {
      ...HARDENED,
      AUTH_ISSUER: 'https://auth.example/',
      ALLOWED_HOSTS: ' a.example, ,b.example:8443,',
      TRUSTED_PROXIES: '10.0.0.0/8,::1',
    });
    expect(settings.AUTH_ISSUER).toBe('https://auth.example');
    expect(settings.ALLOWED_HOSTS).toEqual(['a.example', 'b.example:8443']);
    expect(settings.TRUSTED_PROXIES).toHaveLength(2);
  });

  test('LIMITS_URL is another name of RATE_LIMITER_URL', () => {
    const { RATE_LIMITER_URL: _, ...rest } = HARDENED;
    expect(readSettings(schema, { ...rest, LIMITS_URL: 'https://l.example' }).RATE_LIMITER_URL).toBe(
      'https://l.example',
    );
  });

  test('an app may leave out what it does not use', () => {
    const { DATABASE_URL: _, ...rest } = HARDENED;
    expect(readSettings(schema.omit({ DATABASE_URL: true }), rest)).not.toHaveProperty('DATABASE_URL');
  });

  test('the management port is given, 100 above the port, or free like the port', () => {
    expect(managementPort({ PORT: 4400, MANAGEMENT_PORT: 9000 })).toBe(9000);
    expect(managementPort({ PORT: 4400, MANAGEMENT_PORT: undefined })).toBe(4500);
    expect(managementPort({ PORT: 0, MANAGEMENT_PORT: undefined })).toBe(0);
  });
});

test('every setting is described, with where it is needed and whether it is secret', () => {
  const described = describeSettings(schema.omit({ WEBHOOK_TOKEN: true }));
  expect(described.filter(({ says }) => says === '')).toEqual([]);
  const byName = Object.fromEntries(described.map((line) => [line.name, line]));
  expect(byName.COOKIE_KEY).toMatchObject({ required: 'hardened', secret: true });
  expect(byName.DATABASE_URL).toMatchObject({
    required: 'hardened',
    secret: true,
    embedded: 'pglite://.portcullis/db',
  });
  expect(byName.LOG_LEVEL).toMatchObject({ required: 'no', secret: false });
  expect(byName.AUTH_ISSUER).toMatchObject({ required: 'hardened', embedded: 'http://127.0.0.1:4400' });
});
