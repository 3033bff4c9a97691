import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus, Message } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { openOutbox } from '@portcullis/bus/outbox.file';
import { silentLog } from '@portcullis/contract/log';
import { standingSchema, type Standing } from '@portcullis/contract/standing';
import { memoryContainment } from '@portcullis/guard/containment.memory';
import { readStatement } from '@portcullis/guard/statement';
import { bind } from '@portcullis/service/listener.http';
import { readSettings } from '@portcullis/service/settings';
import type { Database } from '@portcullis/sql/database';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { config } from './config.js';
import { T0 } from './events.fixture.js';
import type { Accepted } from './line.js';
import { startSecurityAnalytics } from './start.js';

/** An issuer of tokens: a key set on a free port, and the private key of it. */
export async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (claims: JWTPayload, typ = 'at+jwt') =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid: 'k1' }).sign(privateKey);
  return { url, sign, close: () => new Promise((resolve) => server.close(resolve)) };
}
export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

/** A clock that a test turns by hand; begins at T0. */
export const handClock = () => {
  const clock = { at: 0, now: () => T0 + clock.at };
  return clock;
};

/** The signers of every service here: they are replicas of one, and outlive each. */
export const CONTAINMENT = memoryContainment();

/** The real service on a free port, with an outbox of its own in a throw-away folder. */
export async function startService(parts: { database: Database; issuer: Issuer; bus?: Bus; now?: () => number }) {
  const { database, issuer, bus = memoryBus(), now = () => T0 } = parts;
  const folder = mkdtempSync(join(tmpdir(), 'analytics-'));
  const events = await openOutbox({
    dir: folder,
    service: 'security-analytics',
    bus,
    now,
    newId: uuidv7,
    log: silentLog,
  });
  const bound = await bind('127.0.0.1', 0);
  const settings = readSettings(config, {
    PORTCULLIS_MODE: 'embedded',
    PORT: '0',
    AUTH_ISSUER: issuer.url,
    ANALYTICS_URL: bound.url,
  });
  const all = { database, bus, events, containment: CONTAINMENT, log: silentLog, now };
  const service = await startSecurityAnalytics(settings, all, bound);

  const token = (scope: string, claims: JWTPayload = {}) => {
    const at = Math.floor(now() / 1000);
    const own = { iss: issuer.url, aud: `${bound.url}/v1`, sub: 'ada', client_id: 'console', jti: uuidv7() };
    return issuer.sign({ ...own, iat: at, exp: at + 300, scope, tenant: 'default', ceiling: '', ...claims });
  };
  /** @param authorization a token, or undefined for none */
  const ask = async (path: string, authorization: string | undefined, body?: unknown) => {
    const answer = await fetch(`${bound.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(authorization !== undefined && { authorization: `Bearer ${authorization}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: text.startsWith('{') ? JSON.parse(text) : text,
    };
  };
  const say = (batch: readonly Accepted[]) => bus.publish('portcullis.events', batch.map(busMessage));
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await service.close();
    await events.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...service, bus, events, token, ask, say, close: () => (closed ??= close()) };
}

export const busMessage = ({ event, line }: Accepted) => ({
  key: `${event.tenant}/${event.subject ?? ''}`,
  value: line,
});

/** What the standing feed says, as a service that reads it sees it. */
export async function readFeed(bus: Bus, group = uuidv7(), wanted: (message: Message) => boolean = () => true) {
  const standings: Standing[] = [];
  const subscription = await bus.subscribe('portcullis.standing', group, async (messages) => {
    for (const message of messages) {
      if (message.key.startsWith('/') || !wanted(message)) continue;
      const said = await readStatement('portcullis.standing', message, CONTAINMENT.keysOf('portcullis.standing'));
      if (typeof said === 'string') throw new Error(said);
      standings.push(standingSchema.parse(said.body));
    }
  });
  return { standings, stop: () => subscription.stop() };
}

/** Tries until it answers something, for at most 10 s. */
export async function until<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 1000; tries++) {
    const value = await attempt();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come');
}
