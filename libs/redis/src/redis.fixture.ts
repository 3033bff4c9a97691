import { randomBytes } from 'node:crypto';
import { Secret } from '@portcullis/contract/secret';
import { openRedis, type RedisConnection } from './connect.redis.js';
import type { Redis } from './redis.js';

/** A real Redis for `*.container.spec.ts`. All files of a run share the server, so each test takes tenants of its own on it. */
export interface TestRedis {
  readonly url: Secret;
  /** Opens a connection; close it in afterAll. */
  open(options?: Partial<RedisConnection>): Promise<Redis>;
  /** A name that no other test has; keys begin with the tenant, so nothing of others is seen. @returns a tenant's slug */
  freshTenant(): string;
}

/**
 * The server that jest.containers.config.mjs started for this run.
 * @throws Error in a spec that another configuration runs: it must be called `*.container.spec.ts`
 */
export function testRedis(server = process.env.PORTCULLIS_TEST_REDIS): TestRedis {
  if (server === undefined) {
    throw new Error('No Redis was started: name the spec x.container.spec.ts, and run jest.containers.config.mjs');
  }
  const url = new Secret(server);
  return {
    url,
    open: (options) => openRedis(url, { onBroken: () => undefined, application: 'test', ...options }),
    freshTenant: () => `t-${randomBytes(8).toString('hex')}`,
  };
}

/**
 * The same port with tenants of its own on a server that others use too: for contract suites, which name theirs.
 * @param port whose methods take the tenant first
 * @param fresh a name that nobody else has
 */
export const tenantsApart = <Port extends object>(port: Port, fresh: string): Port =>
  new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (tenant: string, ...rest: unknown[]): unknown =>
        Reflect.apply(method, target, [`${fresh}-${tenant}`, ...rest]);
    },
  });
