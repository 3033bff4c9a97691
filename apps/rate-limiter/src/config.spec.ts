import { readSettings } from '@portcullis/service/settings';
import { config } from './config.js';
import { embeddedParts } from './wire.js';

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
  expect(names?.toSorted()).toEqual(['AUTH_ISSUER', 'PORT', 'RATE_LIMITER_URL', 'REDIS_URL']);
});

test('hardened mode has no limiter in memory, since every process would count for itself', async () => {
  const settings = readSettings(config, {
    PORT: '8080',
    AUTH_ISSUER: 'https://auth.example',
    RATE_LIMITER_URL: 'https://limits.example',
    REDIS_URL: 'rediss://cache.example:6380',
  });
  await expect(embeddedParts(settings)).rejects.toThrow('embedded parts only');
});

test('the parts of a limiter that runs alone decide', async () => {
  const { limiter } = await embeddedParts(readSettings(config, { PORTCULLIS_MODE: 'embedded' }));
  expect(await limiter.decide({ tenant: 'default', principal: 'agt_one' })).toMatchObject({
    allowed: true,
    remaining: 59,
  });
  await limiter.close();
});
