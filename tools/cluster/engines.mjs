// Redis, Kafka and Postgres in containers, as a cluster of Portcullis shares them.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import pg from 'pg';
import { GenericContainer, Wait } from 'testcontainers';
import { IMAGES } from '../test/engine.mjs';
import { KafkaContainer } from '../test/kafka-container.mjs';

const ROLES = new URL('../../infra/postgres/roles.sql', import.meta.url);

/** @typedef {{ ids: { redis: string, kafka: string, postgres: string }, redis: string, kafka: string, databaseOf(role: string): string, administrator: string, stop(): Promise<void> }} Engines */

/**
 * Starts the three, empty. They listen where `ports` says, also after they were killed and started again.
 * @param {{ redis: number, kafka: number, postgres: number }} ports
 * @returns {Promise<Engines>}
 */
export async function startEngines(ports) {
  const started = await Promise.allSettled([redis(ports.redis), kafka(ports.kafka), postgres(ports.postgres)]);
  const containers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async () => void (await Promise.all(containers.map((container) => container.stop())));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const [ofRedis, ofKafka, ofPostgres] = containers;
  const passwords = await makeRoles(ofPostgres.getConnectionUri());
  return {
    ids: { redis: ofRedis.getId(), kafka: ofKafka.getId(), postgres: ofPostgres.getId() },
    redis: `redis://127.0.0.1:${ports.redis}`,
    kafka: `127.0.0.1:${ports.kafka}`,
    databaseOf(role) {
      const url = new URL(ofPostgres.getConnectionUri());
      return Object.assign(url, { username: role, password: passwords.get(role), search: '?sslmode=disable' }).href;
    },
    administrator: ofPostgres.getConnectionUri(),
    stop,
  };
}

/** What is done is on its disk before it is answered, so that none of it is lost when the server is killed. */
const redis = (port) =>
  new GenericContainer(IMAGES.redis)
    .withCommand(['redis-server', '--appendonly', 'yes', '--appendfsync', 'always'])
    .withExposedPorts({ container: 6379, host: port })
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();

const kafka = (port) => new KafkaContainer().withFixedPort(port).start();

const postgres = (port) =>
  new PostgreSqlContainer(IMAGES.postgres)
    .withExposedPorts({ container: 5432, host: port })
    .withCommand(['postgres', '-c', 'max_connections=300'])
    // the server that initdb starts says it too
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();

/** One role for each service, with a schema of its own. @returns their passwords */
async function makeRoles(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(readFileSync(ROLES, 'utf8'));
    const passwords = new Map(
      ['auth', 'tools', 'limits', 'audit'].map((role) => [role, randomBytes(18).toString('hex')]),
    );
    for (const [role, password] of passwords) await client.query(`alter role ${role} password '${password}'`);
    return passwords;
  } finally {
    await client.end();
  }
}
