import { jwksUriOf } from './issuer-metadata.http.js';

const ISSUER = 'https://auth.example/tenant';
const RFC8414 = 'https://auth.example/.well-known/oauth-authorization-server/tenant';
const OIDC = 'https://auth.example/tenant/.well-known/openid-configuration';
const GOOD = { issuer: ISSUER, jwks_uri: 'https://keys.example/jwks' };

/** A web of documents; what is not in it is 404. */
function web(documents: Record<string, unknown>) {
  const asked: string[] = [];
  const fetch = (async (url: string) => {
    asked.push(url);
    return url in documents ? Response.json(documents[url]) : new Response('', { status: 404 });
  }) as typeof globalThis.fetch;
  return { asked, fetch };
}

test.each([
  ['by RFC 8414', { [RFC8414]: GOOD, [OIDC]: { ...GOOD, jwks_uri: 'https://other.example' } }, [RFC8414]],
  ['by OpenID Connect Discovery where there is no other', { [OIDC]: GOOD }, [RFC8414, OIDC]],
  [
    'by the second where the first is of another issuer',
    { [RFC8414]: { ...GOOD, issuer: 'https://x.example' }, [OIDC]: GOOD },
    [RFC8414, OIDC],
  ],
])('the keys of an issuer are found %s', async (_, documents, urls) => {
  const { asked, fetch } = web(documents);
  expect(await jwksUriOf(ISSUER, fetch)()).toBe('https://keys.example/jwks');
  expect(asked).toEqual(urls);
});

test.each([
  ['no metadata', {}],
  ['metadata of another issuer', { [OIDC]: { ...GOOD, issuer: 'https://auth.example/other' } }],
  ['no key set', { [OIDC]: { issuer: ISSUER } }],
  ['a key set on plain http', { [OIDC]: { ...GOOD, jwks_uri: 'http://auth.example/jwks' } }],
  ['a key set that is no URL', { [OIDC]: { ...GOOD, jwks_uri: '/jwks' } }],
  ['nothing', { [OIDC]: null }],
])('an issuer with %s has no keys for us', async (_, documents) => {
  await expect(jwksUriOf(ISSUER, web(documents).fetch)()).rejects.toMatchObject({ name: 'KeysUnavailable' });
});

test('an issuer on plain http, as on this machine, has its keys beside it', async () => {
  const issuer = 'http://127.0.0.1:4400';
  const url = `${issuer}/.well-known/oauth-authorization-server`;
  const { fetch } = web({ [url]: { issuer, jwks_uri: `${issuer}/jwks` } });
  expect(await jwksUriOf(issuer, fetch)()).toBe(`${issuer}/jwks`);
});
