import { generateKeyPairSync } from 'node:crypto';
import * as z from 'zod';
import { limitsService } from './limits-service.js';
import { describeSettings, readSettings, SettingsError, type Env } from './settings.js';

const schema = z.object(limitsService);
const KEY = JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
const ALL = { LIMITS_URL: 'https://limits.example', SERVICE_CLIENT_ID: 'mcp', SERVICE_KEY: KEY };
/** what is wrong, by variable */
function problemsOf(env: Env): Record<string, string> {
  try {
    readSettings(schema, env, () => KEY);
    return {};
  } catch (error) {
    const { problems } = error as SettingsError;
    return Object.fromEntries(problems.map(({ variable, says }) => [variable, says]));
  }
}

test('nothing of it is needed, and then limits are decided in this process', () => {
  expect(readSettings(schema, {})).toEqual({ LIMITS_DEADLINE_MS: 250 });
});

test('all of it is a limiter that is asked; the key may come from a file', () => {
  expect(readSettings(schema, ALL)).toMatchObject({ LIMITS_URL: 'https://limits.example', SERVICE_CLIENT_ID: 'mcp' });
  const { SERVICE_KEY: _, ...rest } = ALL;
  expect(problemsOf({ ...rest, SERVICE_KEY_FILE: '/run/key' })).toEqual({});
});

test.each([
  [
    ['LIMITS_URL'],
    { SERVICE_CLIENT_ID: 'is missing. LIMITS_URL needs it.', SERVICE_KEY: 'is missing. LIMITS_URL needs it.' },
  ],
  [['LIMITS_URL', 'SERVICE_CLIENT_ID'], { SERVICE_KEY: 'is missing. LIMITS_URL needs it.' }],
  [['LIMITS_URL', 'SERVICE_KEY'], { SERVICE_CLIENT_ID: 'is missing. LIMITS_URL needs it.' }],
  [['SERVICE_CLIENT_ID'], { SERVICE_KEY: 'is missing. SERVICE_CLIENT_ID needs it.' }],
  [['SERVICE_KEY'], { SERVICE_CLIENT_ID: 'is missing. SERVICE_KEY needs it.' }],
] as const)('%j alone is told what goes with it', (names, problems) => {
  const env = Object.fromEntries(names.map((name) => [name, ALL[name]]));
  for (const mode of [{}, { PORTCULLIS_MODE: 'embedded' }]) expect(problemsOf({ ...env, ...mode })).toEqual(problems);
});

test('tokens do not travel in the clear, but on the machine itself', () => {
  const plain = { ...ALL, LIMITS_URL: 'http://127.0.0.1:4402' };
  expect(problemsOf(plain)).toEqual({ LIMITS_URL: 'must be an https:// URL.' });
  expect(problemsOf({ ...plain, PORTCULLIS_MODE: 'embedded' })).toEqual({});
});

test('each is described, and none is required', () => {
  expect(describeSettings(schema)).toMatchObject([
    { name: 'LIMITS_URL', secret: false, required: 'no' },
    { name: 'LIMITS_DEADLINE_MS', secret: false, required: 'no' },
    { name: 'SERVICE_CLIENT_ID', secret: false, required: 'no' },
    { name: 'SERVICE_KEY', secret: true, required: 'no' },
  ]);
});
