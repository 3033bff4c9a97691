import { createServer, request as send } from 'node:http';
import { pipeline } from 'node:stream';

/**
 * Passes everything on to one URL as it came, Host and Origin included, with an access token in front.
 * @param {string} target
 * @param {() => Promise<string>} token
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function injectingProxy(target, token) {
  const { hostname, port, pathname } = new URL(target);
  const server = createServer((request, response) => {
    token().then(
      (bearer) => {
        const headers = { ...request.headers, authorization: `Bearer ${bearer}` };
        const onward = send({ hostname, port, path: pathname, method: request.method, headers }, (answer) => {
          response.writeHead(answer.statusCode, answer.headers);
          // an event stream's head says something before its first event does
          response.flushHeaders();
          pipeline(answer, response, () => undefined);
        });
        onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
        response.on('close', () => onward.destroy());
        request.pipe(onward);
      },
      (error) => {
        process.stderr.write(`${error.message}\n`);
        response.writeHead(502).end();
      },
    );
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}${pathname}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
