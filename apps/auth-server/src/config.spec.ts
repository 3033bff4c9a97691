import { randomBytes } from 'node:crypto';
import { readSettings, SettingsError } from '@portcullis/service/settings';
import { config } from './config.js';

const key = () => randomBytes(32).toString('base64url');
const hardened = {
  PORTCULLIS_MODE: 'hardened',
  PORT: '8443',
  AUTH_ISSUER: 'https://auth.example',
  MCP_RESOURCE: 'https://gate.example/mcp',
  RATE_LIMITER_URL: 'https://limits.example',
  ANALYTICS_URL: 'https://analytics.example',
  DATABASE_URL: 'postgres://db.example/portcullis',
  KAFKA_BROKERS: 'kafka.example:9092',
  OUTBOX_DIR: '/var/lib/portcullis/outbox',
  KEY_ENCRYPTION_KEY: key(),
  COOKIE_KEY: `${key()},${key()}`,
  SECRET_HASH_KEY: key(),
  STATEMENT_KEY: key(),
  STATEMENT_PUBLIC_KEYS: `security-analytics=${key()},rate-limiter=${key()}`,
};
const problems = (env: Record<string, string>): string[] => {
  try {
    readSettings(config, env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map(({ variable }) => variable);
    throw error;
  }
};

test('embedded mode needs nothing', () => {
  expect(readSettings(config, { PORTCULLIS_MODE: 'embedded' })).toMatchObject({ PORT: 4400, TOKEN_LIFE_MINUTES: 15 });
});
test('hardened mode takes a whole set, with two cookie keys', () => {
  expect(readSettings(config, hardened).COOKIE_KEY).toHaveLength(2);
});
test('tokens are signed with ES256 and keys for a month, unless told otherwise', () => {
  expect(readSettings(config, hardened)).toMatchObject({ TOKEN_ALGORITHMS: {}, KEY_ROTATION_DAYS: 30 });
  const more = { TOKEN_ALGORITHMS: 'mcp=RS256 analytics=EdDSA', KEY_ROTATION_DAYS: '0' };
  expect(readSettings(config, { ...hardened, ...more })).toMatchObject({
    TOKEN_ALGORITHMS: { mcp: 'RS256', analytics: 'EdDSA' },
    KEY_ROTATION_DAYS: 0,
  });
});
test('hardened mode names each missing key at once', () => {
  const { KEY_ENCRYPTION_KEY: _a, COOKIE_KEY: _b, SECRET_HASH_KEY: _c, STATEMENT_KEY: _d, ...rest } = hardened;
  expect(problems(rest)).toEqual(['KEY_ENCRYPTION_KEY', 'COOKIE_KEY', 'SECRET_HASH_KEY', 'STATEMENT_KEY']);
});
test.each([
  ['KEY_ENCRYPTION_KEY', 'too short'],
  ['TOKEN_LIFE_MINUTES', '5'],
  ['TOKEN_LIFE_MINUTES', '61'],
  ['TOKEN_ALGORITHMS', 'mcp=HS256'],
  ['TOKEN_ALGORITHMS', 'nobody=RS256'],
  ['KEY_ROTATION_DAYS', '-1'],
  ['KEY_ROTATION_DAYS', '366'],
  ['AUTH_ISSUER', 'http://auth.example'],
  ['AUTH_ISSUER', 'https://auth.example/?tenant=a'],
  ['AUTH_ISSUER', 'https://auth.example/#a'],
])('hardened mode refuses %s=%s', (name, value) => {
  expect(problems({ ...hardened, [name]: value })).toEqual([name]);
});
