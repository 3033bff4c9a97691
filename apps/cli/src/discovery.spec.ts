import type { Ask } from './ask.js';
import { discover } from './discovery.js';

const gate =
  (documents: Record<string, unknown>): Ask =>
  async (url) => ({
    status: url in documents ? 200 : 404,
    header: () => undefined,
    text: JSON.stringify(documents[url] ?? null),
  });
const RESOURCE = 'http://127.0.0.1:4401/.well-known/oauth-protected-resource';
const SERVER = 'http://127.0.0.1:4400/.well-known/oauth-authorization-server';
const documents = {
  [RESOURCE]: { resource: 'http://127.0.0.1:4401/mcp', authorization_servers: ['http://127.0.0.1:4400/'] },
  [SERVER]: {
    issuer: 'http://127.0.0.1:4400',
    token_endpoint: 'http://127.0.0.1:4400/token',
    jwks_uri: 'http://127.0.0.1:4400/jwks',
  },
};

test.each(['http://127.0.0.1:4401', 'http://127.0.0.1:4401/mcp'])('from %s everything else is found', async (url) => {
  expect(await discover(url, gate(documents))).toEqual({
    resource: 'http://127.0.0.1:4401/mcp',
    issuer: 'http://127.0.0.1:4400',
    tokenEndpoint: 'http://127.0.0.1:4400/token',
    jwksUri: 'http://127.0.0.1:4400/jwks',
  });
});

test('a server that is no gate is named', async () => {
  await expect(discover('http://127.0.0.1:9', gate(documents))).rejects.toThrow(
    /127\.0\.0\.1:9.*not the metadata of a Portcullis gate/,
  );
});

test('metadata that speaks for another issuer is refused (RFC 8414 §3.3)', async () => {
  const mixed = { ...documents, [SERVER]: { ...documents[SERVER], issuer: 'http://evil.example' } };
  await expect(discover('http://127.0.0.1:4401', gate(mixed))).rejects.toThrow(/speaks for http:\/\/evil\.example/);
});
