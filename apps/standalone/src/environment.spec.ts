import { config as mcpConfig } from '@portcullis/mcp-server/config';
import { readSettings } from '@portcullis/service/settings';
import { serviceEnvironments } from './environment.js';
import { parseOptions, type Options } from './options.js';

const at = (port: number) => ({ url: `http://127.0.0.1:${port}`, port });
const ports = { authServer: at(1), mcpServer: at(2), rateLimiter: at(3), analytics: at(4) };
const folder = { dir: '/data', databaseUrl: 'pglite://memory' };
const options = parseOptions(['--ephemeral', '--port-base', '5000']) as Options;

test('every service runs embedded and knows where the others are', () => {
  const env = serviceEnvironments({}, options, folder, ports);
  for (const service of Object.values(env)) {
    expect(service).toMatchObject({
      PORTCULLIS_MODE: 'embedded',
      AUTH_ISSUER: 'http://127.0.0.1:1',
      MCP_RESOURCE: 'http://127.0.0.1:2/mcp',
      RATE_LIMITER_URL: 'http://127.0.0.1:3',
      ANALYTICS_URL: 'http://127.0.0.1:4',
    });
  }
  expect(env.analytics).toMatchObject({ PORT: '4', MANAGEMENT_PORT: '5104' });
});

test('the outer environment reaches the services only by the names that are passed on', () => {
  const outer = {
    TOKEN_LIFE_MINUTES: '20',
    TOKEN_ALGORITHMS: 'mcp=EdDSA',
    KEY_ROTATION_DAYS: '7',
    PORTCULLIS_MODE: 'hardened',
    DATABASE_URL: 'postgres://x',
    AUTH_ISSUER: 'https://elsewhere.example',
  };
  const { authServer } = serviceEnvironments(outer, options, folder, ports);
  expect(authServer).toMatchObject({
    TOKEN_LIFE_MINUTES: '20',
    TOKEN_ALGORITHMS: 'mcp=EdDSA',
    KEY_ROTATION_DAYS: '7',
    PORTCULLIS_MODE: 'embedded',
    DATABASE_URL: 'pglite://memory',
    AUTH_ISSUER: 'http://127.0.0.1:1',
  });
});

test('a HOST that is not loopback reaches the services, which refuse it', () => {
  const { mcpServer } = serviceEnvironments({ HOST: '0.0.0.0' }, options, folder, ports);
  expect(() => readSettings(mcpConfig, mcpServer)).toThrow('HOST');
});
