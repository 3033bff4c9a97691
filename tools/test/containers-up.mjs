// Before container specs: one Postgres server, which all of them share; each makes databases of its own in it
// (libs/sql/src/postgres.fixture.ts). Nothing on it is worth a disk's time.
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { Wait } from 'testcontainers';
import { IMAGES } from './engine.mjs';

export default async function containersUp() {
  const container = await new PostgreSqlContainer(IMAGES.postgres)
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=300'])
    .withTmpFs({ '/var/lib/postgresql/data': 'rw' })
    // the server that initdb starts says it too
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();
  globalThis.portcullisPostgres = container;
  process.env.PORTCULLIS_TEST_POSTGRES = container.getConnectionUri();
}
