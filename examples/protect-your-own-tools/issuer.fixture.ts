import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/**
 * Any authorization server, as far as a tool server and its clients see it: metadata, keys, and tokens (RFC 9068) for
 * whichever resource and scope a client asks for. It knows nothing of ours.
 */
export async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  let tokens = 0;

  const server = createServer(async (request, response) => {
    const answer = await answers[request.url ?? '']?.(request);
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const tokenFor = (client: string, resource: string, scope: string): Promise<string> =>
    new SignJWT({ scope, client_id: client })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'one' })
      .setIssuer(url)
      .setSubject(client)
      .setAudience(resource)
      .setJti(`token-${(tokens += 1)}`)
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey);

  const answers: Record<string, (request: IncomingMessage) => Promise<object>> = {
    '/.well-known/oauth-authorization-server': async () => ({
      issuer: url,
      token_endpoint: `${url}/token`,
      authorization_endpoint: `${url}/authorize`,
      jwks_uri: `${url}/keys`,
      response_types_supported: ['code'],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
    }),
    '/keys': async () => ({ keys: [jwk] }),
    '/token': async (request) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const asked = new URLSearchParams(body);
      const [client = ''] = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64')
        .toString()
        .split(':');
      const scope = asked.get('scope') ?? '';
      return {
        access_token: await tokenFor(client, asked.get('resource') ?? '', scope),
        token_type: 'Bearer',
        expires_in: 600,
        scope,
      };
    },
  };
  return { url, tokenFor, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
