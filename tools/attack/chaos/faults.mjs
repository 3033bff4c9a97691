// What is broken, one at a time. A fault that has to be ended by somebody is ended; what comes then is the services' own.
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { getContainerRuntimeClient } from 'testcontainers';

const run = promisify(execFile);
const PAUSED_MS = 20_000;
/** How long a machine that died is away. */
const DEAD_MS = 3_000;
const FILLED_MS = 8_000;
/** Of the disk that is to be filled. */
const DISK = '32m';

/**
 * @typedef {object} Fault
 * @property {string} name as `kill redis`, `pause mcp-server/2`
 * @property {() => Promise<void>} happen resolves when nobody has to do anything any more
 * @property {'disk'} [what] answers may be withheld, since events cannot be kept
 */

/** A disk of its own for the events of the first process of each service, so that it can be filled. Needs root, and Linux. */
export async function mountDisk(dir) {
  const folder = join(dir, 'outbox-1');
  await run('mkdir', ['-p', '-m', '700', folder]);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'portcullis-chaos', folder]);
  return { folder, unmount: () => run('umount', ['-l', folder]) };
}

/**
 * @param {{ replicas: import('../../cluster/start.mjs').Replica[], engines: import('../../cluster/engines.mjs').Engines }} cluster
 * @param {string | undefined} disk a folder on a disk that can be filled
 * @returns {Promise<Fault[]>}
 */
export async function faultsOf({ replicas, engines }, disk) {
  const { container: client } = await getContainerRuntimeClient();
  const servers = Object.entries(engines.ids).map(([name, id]) => ({ name, id, server: client.getById(id) }));
  const nameOf = ({ service, nth }) => `${service}/${nth}`;
  const restart = async ({ server }) => {
    await server.kill();
    await server.wait();
    await pause(DEAD_MS);
    await server.start();
  };
  const kill = [
    ...replicas.map((replica) => ({
      name: `kill ${nameOf(replica)}`,
      happen: async () => void process.kill(replica.pid(), 'SIGKILL'),
    })),
    ...servers.map((each) => ({ name: `kill ${each.name}`, happen: () => restart(each) })),
  ];
  const paused = [
    ...replicas.map((replica) => ({
      name: `pause ${nameOf(replica)}`,
      happen: async () => {
        const pid = replica.pid();
        process.kill(pid, 'SIGSTOP');
        await pause(PAUSED_MS);
        process.kill(pid, 'SIGCONT');
      },
    })),
    ...servers.map(({ name, server }) => ({
      name: `pause ${name}`,
      happen: async () => {
        await server.pause();
        await pause(PAUSED_MS);
        await server.unpause();
      },
    })),
  ];
  const cut = servers.map(({ name, id }) => ({
    name: `cut ${name}`,
    happen: async () => {
      const network = client.dockerode.getNetwork('bridge');
      await network.disconnect({ Container: id });
      await pause(PAUSED_MS);
      await network.connect({ Container: id });
    },
  }));
  const fill = disk && {
    name: 'fill the disk',
    what: 'disk',
    happen: async () => {
      const file = join(disk, 'filled');
      try {
        // to the last byte: what is written fits no more
        for (const size of [1024 * 1024, 4096, 1]) await fillWith(file, size);
        await pause(FILLED_MS);
      } finally {
        rmSync(file, { force: true });
      }
    },
  };
  const all = {
    name: 'restart everything',
    happen: async () => {
      for (const replica of replicas) process.kill(replica.pid(), 'SIGTERM');
      await Promise.all(servers.map(restart));
    },
  };
  return [...kill, ...paused, ...cut, ...(fill ? [fill] : []), all];
}

async function fillWith(file, size) {
  const block = Buffer.alloc(size, 1);
  for (;;) {
    try {
      writeFileSync(file, block, { flag: 'a' });
    } catch (error) {
      if (error.code === 'ENOSPC') return;
      throw error;
    }
    await pause(0);
  }
}
