// A Postgres of its own for a bench, where a container engine answers.
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { IMAGES, whyNoContainers } from '../test/engine.mjs';

export async function postgresForBench() {
  const why = await whyNoContainers();
  if (why !== undefined) return { skipped: why, stop: async () => {} };
  const container = await new PostgreSqlContainer(IMAGES.postgres).start();
  return { url: container.getConnectionUri(), stop: () => container.stop() };
}
