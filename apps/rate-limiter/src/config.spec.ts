import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@portcullis/service/settings';
import { config } from './config.js';
import { openParts } from './wire.js';

const HARDENED = {
  PORT: '8080',
  AUTH_ISSUER: 'https://auth.example',
  RATE_LIMITER_URL: 'https://limits.example',
  REDIS_URL: 'rediss://cache.example:6380',
  KAFKA_BROKERS: 'kafka.example:9093',
  OUTBOX_DIR: '/var/lib/portcullis/outbox',
  STATEMENT_KEY: randomBytes(32).toString('base64url'),
  LIMITS_KEY: randomBytes(32).toString('base64url'),
};

test('embedded mode needs nothing but its name', () => {
  const settings = readSettings(config, { PORTCULLIS_MODE: 'embedded' });
  expect(settings).toMatchObject({ PORT: 4402, HOST: '127.0.0.1', RATE_LIMITER_URL: 'http://127.0.0.1:4402' });
});

test('hardened mode names everything that is missing or unsafe at once', () => {
  const env = { RATE_LIMITER_URL: 'http://limits.example', REDIS_URL: 'redis://cache:6379' };
  const names = (() => {
    try {
      readSettings(config, env);
    } catch (error) {
      return (error as { problems: { variable: string }[] }).problems.map(({ variable }) => variable);
    }
  })();
  expect(names?.toSorted()).toEqual([
    'AUTH_ISSUER',
    'KAFKA_BROKERS',
    'LIMITS_KEY',
    'OUTBOX_DIR',
    'PORT',
    'RATE_LIMITER_URL',
    'REDIS_URL',
    'STATEMENT_KEY',
  ]);
});

test('hardened mode has no limiter in memory, since every process would count for itself', () => {
  const { REDIS_URL: _, ...without } = HARDENED;
  expect(() => readSettings(config, without)).toThrow('REDIS_URL: is missing');
});

test('the parts of a limiter that runs alone decide', async () => {
  const OUTBOX_DIR = join(mkdtempSync(join(tmpdir(), 'portcullis-limiter-')), 'outbox');
  const { limiter, close } = await openParts(readSettings(config, { PORTCULLIS_MODE: 'embedded', OUTBOX_DIR }));
  expect(await limiter.decide({ tenant: 'default', principal: 'agt_one' })).toMatchObject({
    allowed: true,
    remaining: 59,
  });
  await close();
});
