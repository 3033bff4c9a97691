// The least that an HTTP service does: reads a body, answers JSON. The yardstick.
import { createServer } from 'node:http';

const answer = Buffer.from(process.env.BENCH_ANSWER);
const head = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': answer.length };
const server = createServer((request, response) => {
  request.on('data', () => {}).on('end', () => response.writeHead(200, head).end(answer));
});
server.listen(Number(process.env.BENCH_PORT), '127.0.0.1', () => process.send('ready'));
process.on('SIGTERM', () => process.exit());
process.on('disconnect', () => process.exit());
