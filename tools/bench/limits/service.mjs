// The rate limiter as a process of its own on the bench's Redis, and servers beside it that decide nothing.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startServer } from '../calls/server.mjs';

const TOOL = 'get_customer_info';
/** So many that none comes to a limit of the house within a turn; each turn begins with an empty Redis. */
export const PRINCIPALS = 20_000;
export const TENANT = 'default';
/** @returns the nth question of a turn */
export const question = (i) => ({ tenant: TENANT, principal: `agt_${i % PRINCIPALS}`, tool: TOOL });

/** @returns as {@link startServer}, and `grpc`, `token`, and `refused`: how many questions were not allowed until now */
export async function startRateLimiter(redisUrl, issuer, flags) {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const [grpc, management] = [await freePort(), await freePort()];
  const urlOf = (port) => `http://127.0.0.1:${port}`;
  const service = await startServer('../../../apps/rate-limiter/dist/main.js', {
    flags,
    env: (port) => ({
      PORTCULLIS_MODE: 'embedded',
      PORT: String(port),
      MANAGEMENT_PORT: String(management),
      GRPC_PORT: String(grpc),
      AUTH_ISSUER: issuer.url,
      RATE_LIMITER_URL: urlOf(port),
      REDIS_URL: redisUrl,
      LIMITS_KEY: randomBytes(32).toString('base64url'),
      OUTBOX_DIR: join(dir, 'outbox'),
    }),
  });
  const scope = 'limits:decide';
  const gateway = { sub: 'gateway', client_id: 'gateway', aud: `${urlOf(service.port)}/v1`, scope, ceiling: scope };
  return {
    ...service,
    grpc,
    token: issuer.token(gateway),
    async refused() {
      const text = await (await fetch(`${urlOf(management)}/metrics`)).text();
      const outcomes = text.matchAll(/^portcullis_limit_decisions_total\{outcome="(\w+)"\S* (\d+)$/gm);
      return [...outcomes].reduce((sum, [, outcome, count]) => sum + (outcome === 'allowed' ? 0 : Number(count)), 0);
    },
    async stop() {
      await service.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
