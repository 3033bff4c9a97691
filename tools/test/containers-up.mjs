// Before container specs: one Postgres, one Redis and one Kafka server, those that the specs of this run use, started side
// by side. All specs share them: each makes a database, a key prefix or topics of its own (postgres.fixture.ts of libs/sql,
// redis.fixture.ts of libs/redis, kafka.fixture.ts of libs/bus). Nothing on them is worth a disk's time. A spec that breaks
// a server starts one of its own.
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { GenericContainer, Wait } from 'testcontainers';
import { IMAGES } from './engine.mjs';
import { KafkaContainer } from './kafka-container.mjs';
import { neededEngines } from './needed-engines.mjs';

const START = {
  postgres: async () => {
    const container = await new PostgreSqlContainer(IMAGES.postgres)
      .withCommand(['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=300'])
      .withTmpFs({ '/var/lib/postgresql/data': 'rw' })
      // the server that initdb starts says it too
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start();
    return { container, name: 'PORTCULLIS_TEST_POSTGRES', value: container.getConnectionUri() };
  },
  redis: async () => {
    const container = await new GenericContainer(IMAGES.redis)
      .withCommand(['redis-server', '--save', '', '--appendonly', 'no'])
      .withExposedPorts(6379)
      .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
      .start();
    const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
    return { container, name: 'PORTCULLIS_TEST_REDIS', value: url };
  },
  kafka: async () => {
    // compaction comes round every 15 s by default
    const container = await new KafkaContainer().withSettings({ KAFKA_LOG_CLEANER_BACKOFF_MS: '200' }).start();
    return { container, name: 'PORTCULLIS_TEST_KAFKA', value: container.getBroker() };
  },
};

export default async function containersUp({ rootDir, testPathPatterns }) {
  const needed = neededEngines(rootDir, testPathPatterns.patterns);
  const started = [...needed].map(async (engine) => START[engine]());
  const settled = await Promise.allSettled(started);
  globalThis.portcullisContainers = settled.flatMap(({ value }) => (value ? [value.container] : []));
  const broken = settled.find(({ status }) => status === 'rejected');
  if (broken) {
    await Promise.all(globalThis.portcullisContainers.map((container) => container.stop()));
    throw broken.reason;
  }
  for (const { value } of settled) process.env[value.name] = value.value;
}
