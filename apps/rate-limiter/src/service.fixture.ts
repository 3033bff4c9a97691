import { memoryBus } from '@portcullis/bus/bus.memory';
import { memoryEventLog } from '@portcullis/bus/event-log.memory';
import { newId } from '@portcullis/guard/new-id.memory';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { memoryContainment } from '@portcullis/guard/containment.memory';
import { silentLog } from '@portcullis/contract/log';
import type { Limiter } from '@portcullis/limits/limiter';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { RulesInForce } from '@portcullis/limits/rules-in-force';
import { bind } from '@portcullis/service/listener.http';
import { readSettings } from '@portcullis/service/settings';
import { readTls } from '@portcullis/service/tls.file';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { config } from './config.js';
import { startRateLimiter } from './start.js';

export type Claims = Readonly<Record<string, unknown>>;

/** An authorization server as far as its key set goes, on a free port. */
export async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] });
  const serve: RequestListener = (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.writeHead(request.url === '/jwks' ? 200 : 404).end(keys);
  };
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sign: (claims: Claims, typ = 'at+jwt') =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid: 'k1' }).sign(privateKey),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

/** The real service on free ports, with a clock that the test turns and a limiter of its own unless given. */
export async function startService(issuer: Issuer, given?: Limiter, env: Readonly<Record<string, string>> = {}) {
  const clock = { at: 1_700_000_012_345 };
  const now = () => clock.at;
  const rules = new RulesInForce();
  const limiter = given ?? memoryLimiter({ now, random: randomBytes, table: rules.table });
  const bound = await bind('127.0.0.1', 0, readTls(env));
  const settings = readSettings(config, {
    PORTCULLIS_MODE: 'embedded',
    PORT: '0',
    GRPC_PORT: '0',
    AUTH_ISSUER: issuer.url,
    RATE_LIMITER_URL: bound.url,
    ...env,
  });
  const events = memoryEventLog({ service: 'rate-limiter', newId });
  const parts = { limiter, rules, bus: memoryBus(), containment: memoryContainment(), events, log: silentLog, now };
  const service = await startRateLimiter(settings, parts, bound);

  /** A token that is good here unless the claims say otherwise. */
  const token = (claims: Claims = {}, typ?: string): Promise<string> => {
    const at = Math.floor(now() / 1000);
    const own = { iss: issuer.url, aud: `${bound.url}/v1`, sub: 'gateway', client_id: 'gateway', jti: 'j1' };
    const scope = 'limits:decide';
    return issuer.sign({ ...own, iat: at, exp: at + 300, scope, ceiling: scope, tenant: 'default', ...claims }, typ);
  };
  const send = async (path: string, init: RequestInit) => {
    const response = await fetch(`${bound.url}${path}`, init);
    const text = await response.text();
    const body: any = text.startsWith('{') ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body };
  };
  /** Posts JSON; a string goes as it is. */
  const post = async (path: string, body: unknown, claims?: Claims) =>
    send(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token(claims)}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { ...service, clock, limiter, rules, events, token, send, post };
}
