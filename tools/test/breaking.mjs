import { getContainerRuntimeClient, RandomPortGenerator } from 'testcontainers';

/** A port of the host that nobody listens on, for a server that is found at the same address after it was started again. */
export const freePort = () => new RandomPortGenerator().generatePort();

/**
 * Breaks a server of a spec's own, as machines and networks do.
 * @param {{ getId(): string }} container that runs
 */
export async function breaking(container) {
  const { container: engine } = await getContainerRuntimeClient();
  const server = engine.getById(container.getId());
  return {
    /** SIGKILL: it writes nothing more, and says goodbye to nobody. Its disk stays. */
    kill: async () => {
      await server.kill();
      await server.wait();
    },
    /** Starts what was killed, on its disk. Nothing waits until it answers: what the clients see is for the spec to say. */
    startAgain: async () => {
      await server.start();
    },
    /** It runs no instruction; connections stay, and are taken. */
    pause: async () => {
      for (let tries = 1; ; tries++) {
        try {
          await server.pause();
          return;
        } catch (error) {
          // a machine that has much to do may take too long to stop every process
          if (tries === 20 || !String(error).includes('unable to freeze')) throw error;
        }
      }
    },
    unpause: async () => {
      await server.unpause();
    },
  };
}
