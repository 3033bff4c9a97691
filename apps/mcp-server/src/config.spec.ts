import { readSettings } from '@portcullis/service/settings';
import { config } from './config.js';

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString('base64url');
const HARDENED = {
  PORT: '443',
  HOST: '0.0.0.0',
  AUTH_ISSUER: 'https://auth.example',
  MCP_RESOURCE: 'https://gate.example/mcp',
  RATE_LIMITER_URL: 'https://limits.example',
  ANALYTICS_URL: 'https://analytics.example',
  DATABASE_URL: 'postgres://db.example/tools',
  REDIS_URL: 'rediss://redis.example',
  KAFKA_BROKERS: 'kafka.example:9093',
  OUTBOX_DIR: '/var/lib/portcullis/outbox',
  AUDIT_DIGEST_KEY: KEY,
  STATE_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i * 5 + 1)).toString('base64url'),
  LIMITS_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i * 3 + 2)).toString('base64url'),
};

it('starts embedded from nothing but the mode', () => {
  expect(readSettings(config, { PORTCULLIS_MODE: 'embedded' })).toMatchObject({
    PORT: 4401,
    MCP_RESOURCE: 'http://127.0.0.1:4401/mcp',
    FORCE_HTTPS: false,
  });
});

it('is hardened unless told otherwise, and names everything that is missing at once', () => {
  const problems = [
    ...String(
      (() => {
        try {
          return readSettings(config, {});
        } catch (error) {
          return error;
        }
      })(),
    ).matchAll(/^ {2}(\w+):/gm),
  ].map(([, name]) => name);
  expect(problems).toEqual(
    expect.arrayContaining(['AUTH_ISSUER', 'MCP_RESOURCE', 'DATABASE_URL', 'AUDIT_DIGEST_KEY', 'KAFKA_BROKERS']),
  );
});

it('asks the rate limiter where LIMITS_URL names it, and then needs what it gets tokens by', () => {
  const asking = { ...HARDENED, LIMITS_URL: 'https://limits.example' };
  expect(() => readSettings(config, asking)).toThrow(/SERVICE_CLIENT_ID: is missing.*\n.*SERVICE_KEY: is missing/);
  expect(() => readSettings(config, { ...asking, LIMITS_URL: 'http://limits.example' })).toThrow(
    'LIMITS_URL: must be an https:// URL.',
  );
});

it('takes a whole set when hardened', () => {
  expect(readSettings(config, HARDENED)).toMatchObject({ PORT: 443, FORCE_HTTPS: true, LIMIT_SHARES: 4 });
});
