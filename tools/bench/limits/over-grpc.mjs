// ShouldRateLimit of a rate-limiter process, and a bare server on the same gRPC library, both asked by a process of its own.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startServer } from '../calls/server.mjs';

const IN_FLIGHT = 64;

/** @returns `turn(seconds)`: figures of the service and of the bare server; and `stop` */
export async function decidingOverGrpc(service, empty, flags) {
  const bare = await startServer(new URL('./bare-grpc.mjs', import.meta.url), { flags });
  const client = fork(fileURLToPath(new URL('./grpc-load.mjs', import.meta.url)));
  const servers = { grpc: { ...service, port: service.grpc }, 'bare grpc': bare };
  const asked = ({ port }, seconds) =>
    new Promise((resolve, reject) => {
      const gone = (code) => reject(new Error(`the client over gRPC ended (${code})`));
      client.once('exit', gone).once('message', (found) => {
        client.off('exit', gone);
        resolve(found);
      });
      client.send({ port, token: service.token, inFlight: IN_FLIGHT, seconds });
    });
  return {
    async turn(seconds) {
      const found = {};
      for (const [name, server] of Object.entries(servers)) {
        await empty();
        const before = server.cpuMicros();
        const { calls, ...figures } = await asked(server, seconds);
        found[name] = { ...figures, cpuMicros: (server.cpuMicros() - before) / Math.max(1, calls) };
      }
      return found;
    },
    async stop() {
      client.disconnect();
      await bare.stop();
    },
  };
}
