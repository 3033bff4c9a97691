import type { Bus } from '@portcullis/bus/bus';
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
  const databases = await Promise.all([open(), open()]);
  const [left, right] = databases;
  const running: Gate[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(running.map((gate) => gate.close()));
    await Promise.all(databases.map((database) => database.close()));
  };
  try {
    const of: World = { ...(await world(left)), adminKey: await privateJwk() };
    const bus = more.bus ?? memoryBus();
    const first = await startGate(of, { ...more, bus }, env);
    running.push(first);
    const beside = { ...of, database: right, port: 0 };
    const second = await startGate(beside, { ...more, bus: asAnother(bus) }, { AUTH_ISSUER: first.issuer, ...env });
    running.push(second);
    return { of, gates: [first, second], close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The bus as a second replica has it: its subscriptions are no competitors of the first one's. */
const asAnother = (bus: Bus): Bus => ({
  ...bus,
  subscribe: (topic, group, ...rest) => bus.subscribe(topic, `${group}-another`, ...rest),
});
