import { adaptParams } from './request-params.js';

const uris = {
  mcp: 'https://gate.example/mcp',
  authAdmin: 'https://auth.example/admin',
  mcpAdmin: 'https://gate.example/admin',
  rateLimiter: 'https://limits.example/v1',
  approvals: 'https://gate.example/approvals',
  analytics: 'https://analytics.example/v1',
};
const adapted = (params: Record<string, unknown>) => {
  adaptParams(params, uris);
  return params;
};

test.each<[unknown, unknown]>([
  ['https://gate.example/mcp', 'https://gate.example/mcp'],
  ['https://gate.example/mcp/', 'https://gate.example/mcp'],
  ['HTTPS://Gate.Example/mcp', 'https://gate.example/mcp'],
  ['https://evil.example/mcp', 'https://evil.example/mcp'],
  [
    ['https://gate.example/mcp/', 'x'],
    ['https://gate.example/mcp', 'x'],
  ],
])('resource %j becomes %j', (resource, canonical) => {
  expect(adapted({ resource })).toEqual({ resource: canonical });
});

test('max_age of a client that is no OpenID client becomes a fresh sign-in', () => {
  expect(adapted({ max_age: '300', scope: 'customer:delete' })).toMatchObject({ max_age: undefined, prompt: 'login' });
  expect(adapted({ max_age: '300', prompt: 'consent' })).toMatchObject({ prompt: 'consent login' });
  expect(adapted({ max_age: '0', prompt: 'login' })).toMatchObject({ prompt: 'login' });
});
test('max_age of an OpenID client stays', () => {
  expect(adapted({ max_age: '300', scope: 'openid x' })).toEqual({ max_age: '300', scope: 'openid x' });
});
test('nothing is added where nothing was said', () => {
  expect(adapted({ grant_type: 'client_credentials' })).toEqual({ grant_type: 'client_credentials' });
});
test.each(['max_age', 'scope', 'prompt'])('%s that was said twice stays so, to be refused', (name) => {
  const params = { max_age: '300', [name]: ['1', '2'] };
  expect(adapted({ ...params })).toEqual(params);
});
