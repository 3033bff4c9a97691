import { isLoopback, readyFile, sameServer, urlBeyondLoopback } from './ready.js';

const ready = {
  authServer: 'http://127.0.0.1:4400',
  mcpServer: 'http://127.0.0.1:4401/',
  mcp: 'http://127.0.0.1:4401/mcp',
  rateLimiter: 'http://127.0.0.1:4402',
  rateLimiterGrpc: null,
  analytics: 'http://127.0.0.1:4404',
  console: null,
  management: { authServer: 'http://127.0.0.1:4500', mcpServer: 'http://127.0.0.1:4501' },
  demo: '/home/me/.portcullis/demo.json',
  admin: '/home/me/.portcullis/admin.json',
  pid: 4711,
};

test('a ready file is read, bases lose their trailing slash, and what later versions add is kept', () => {
  expect(readyFile.parse({ ...ready, processes: [] })).toMatchObject({
    mcpServer: 'http://127.0.0.1:4401',
    processes: [],
  });
});

test('a ready file of the embedded gate names nothing beyond this machine', () => {
  expect(urlBeyondLoopback(ready)).toBeUndefined();
});

test.each([
  ['a service', { analytics: 'http://10.0.0.7:4404' }, 'http://10.0.0.7:4404'],
  [
    'a management port',
    { management: { authServer: 'http://portcullis.example:4500' } },
    'http://portcullis.example:4500',
  ],
  ['host and port', { rateLimiterGrpc: 'limits.example:4403' }, 'limits.example:4403'],
  ['a part this version does not know', { parts: [{ url: 'https://evil.example' }] }, 'https://evil.example'],
  ['another scheme', { bus: 'ws://evil.example/x' }, 'ws://evil.example/x'],
])('%s elsewhere is found', (_, change, found) => {
  expect(urlBeyondLoopback({ ...ready, ...change })).toBe(found);
});

test.each(['http://127.0.0.1:1', 'https://127.8.9.10', 'http://[::1]:4400', 'http://localhost:4400', '127.0.0.1:4403'])(
  '%s is on this machine',
  (address) => expect(isLoopback(address)).toBe(true),
);

test.each([
  'http://127.0.0.1.evil.example',
  'http://localhost.evil.example',
  'http://127.0.0.1@evil.example',
  'http://0.0.0.0:4400',
  'http://192.168.0.1',
  'http://[::ffff:10.0.0.1]',
  'evil.example:4403',
  'nonsense://',
])('%s is not', (address) => expect(isLoopback(address)).toBe(false));

test('the same server has the same scheme, host and port', () => {
  expect(sameServer('http://127.0.0.1:4401/mcp', 'http://127.0.0.1:4401')).toBe(true);
  expect(sameServer('http://127.0.0.1:4402', 'http://127.0.0.1:4401')).toBe(false);
  expect(sameServer('https://127.0.0.1:4401', 'http://127.0.0.1:4401')).toBe(false);
});
