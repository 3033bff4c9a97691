// A Redis of its own for a bench, where a container engine answers.
import { GenericContainer, Wait } from 'testcontainers';
import { IMAGES, whyNoContainers } from '../test/engine.mjs';

export async function redisForBench() {
  const why = await whyNoContainers();
  if (why !== undefined) return { skipped: why, stop: async () => {} };
  const container = await new GenericContainer(IMAGES.redis)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'no'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  return { url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`, stop: () => container.stop() };
}

/** CPU time that a Redis has used since it started, microseconds. */
export async function redisCpuMicros(client) {
  const info = await client.info('cpu');
  const seconds = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}
