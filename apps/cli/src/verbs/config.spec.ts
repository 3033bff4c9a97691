import type { VerbPorts } from '../verb.js';
import type { Setting } from '../settings.js';
import { config } from './config.js';

const settings = async (app?: string) => (await config.run({ app }, {} as VerbPorts)).json as Setting[];

test('every setting of every service is there, with its default, whether it is a secret, and what it is', async () => {
  const all = await settings();
  expect([...new Set(all.map(({ app }) => app))]).toEqual([
    'auth-server',
    'mcp-server',
    'rate-limiter',
    'security-analytics',
  ]);
  expect(all.filter(({ says }) => says === '').map(({ app, name }) => `${app} ${name}`)).toEqual([]);
  expect(all).toContainEqual({
    app: 'auth-server',
    name: 'TOKEN_LIFE_MINUTES',
    default: '15',
    embedded: '15',
    secret: false,
    required: 'no',
    says: 'minutes an access token is good for, 15 to 60',
  });
  expect(all.find(({ app, name }) => app === 'mcp-server' && name === 'PORT')).toMatchObject({
    default: null,
    embedded: '4401',
    required: 'hardened',
  });
});

test('keys are marked as secrets and have no default', async () => {
  const keys = (await settings()).filter(({ name }) => name.endsWith('_KEY'));
  expect(keys.map(({ name }) => name)).toEqual(expect.arrayContaining(['COOKIE_KEY', 'AUDIT_DIGEST_KEY']));
  for (const key of keys) {
    // only with LIMITS_URL
    const required = key.name === 'SERVICE_KEY' ? 'no' : 'hardened';
    expect(key).toMatchObject({ secret: true, default: null, embedded: null, required });
  }
});

test('what a setting is by default is said in words, and an empty table is nothing', async () => {
  const all = await settings();
  expect(all.find(({ name }) => name === 'TOKEN_ALGORITHMS')).toMatchObject({ default: null, embedded: null });
  expect(all.filter((one) => String(one.default).includes('[object'))).toEqual([]);
});

test('one service alone can be asked for', async () => {
  expect(new Set((await settings('rate-limiter')).map(({ app }) => app))).toEqual(new Set(['rate-limiter']));
});
