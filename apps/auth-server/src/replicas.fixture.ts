import { memoryBus } from '@portcullis/bus/bus.memory';
import { openPostgres } from '@portcullis/sql/postgres.sql';
import { privateJwk, startGate, world, type Gate, type World } from './gate.fixture.js';
import type { AuthServerParts } from './start.js';

export interface Replicas {
  /** the world they share; its `database` is the first one's */
  readonly of: World;
  /** each at its own `url`; they have one issuer, one bus, one local administrator (`adminKey`) and the same keys */
  readonly gates: readonly [Gate, Gate];
  close(): Promise<void>;
}

/**
 * Two replicas of one authorization server on one Postgres database, each with connections of its own. `postToken(gate, …)`
 * asks the one that is named. For `*.container.spec.ts`: `startReplicas(await testPostgres().freshUrl())`.
 */
export async function startReplicas(
  databaseUrl: string,
  more: Partial<AuthServerParts> = {},
  env: Record<string, string> = {},
): Promise<Replicas> {
  const open = () => openPostgres(databaseUrl, { onBroken: () => undefined });
  const [left, right] = await Promise.all([open(), open()]);
  const of: World = { ...(await world(left)), adminKey: await privateJwk() };
  const shared = { bus: memoryBus(), ...more };
  const first = await startGate(of, shared, env);
  const second = await startGate({ ...of, database: right, port: 0 }, shared, { AUTH_ISSUER: first.issuer, ...env });
  return {
    of,
    gates: [first, second],
    async close() {
      await Promise.all([first.close(), second.close()]);
      await Promise.all([left.close(), right.close()]);
    },
  };
}
