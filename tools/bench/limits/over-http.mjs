// POST /v1/decide of a rate-limiter process, and a bare node:http server that answers as much to as much.
import { startServer } from '../calls/server.mjs';
import { load } from '../calls/load.mjs';
import { isInstalled, wrkLoad } from '../calls/wrk.mjs';
import { PRINCIPALS, question } from './service.mjs';

const CONNECTIONS = 64;
/** Before each turn, not measured; its answers are looked at whole, since wrk looks at nothing but the status. */
const LEAD_IN = { seconds: 0.5, connections: CONNECTIONS };
const isAllowed = (answer) => answer.startsWith('HTTP/1.1 200') && answer.includes('"allowed":true');

/** @returns `turn(seconds)`: figures of the service and of the bare server; and `stop` */
export async function decidingOverHttp(service, empty, flags) {
  const bytes = (port, i) => requestBytes(port, service.token, JSON.stringify(question(i)));
  const requests = Array.from({ length: PRINCIPALS }, (_, i) => bytes(service.port, i));
  const answer = await bodyOf(service);
  const bare = await startServer(new URL('./bare-http.mjs', import.meta.url), {
    flags,
    env: () => ({ BENCH_ANSWER: answer }),
  });
  const servers = { http: service, 'bare http': bare };
  const bareRequests = requests.map((_, i) => bytes(bare.port, i));
  const requestsOf = (server) => (server === bare ? bareRequests : requests);
  return {
    async turn(seconds) {
      const found = {};
      for (const [name, server] of Object.entries(servers)) {
        found[name] = await measured(server, requestsOf(server), seconds, empty);
      }
      return found;
    },
    stop: () => bare.stop(),
  };
}

const send = isInstalled() ? wrkLoad : load;

async function measured(server, requests, seconds, empty) {
  await empty();
  const to = { port: server.port, requests, connections: CONNECTIONS, isRight: isAllowed };
  const lead = await load({ ...to, ...LEAD_IN });
  const before = server.cpuMicros();
  const full = await send({ ...to, seconds });
  const cpuMicros = (server.cpuMicros() - before) / Math.max(1, full.calls);
  await empty();
  const half = await load({ ...to, seconds, rate: full.perSecond / 2 });
  const all = [lead, full, half];
  return {
    perSecond: full.perSecond,
    p99: half.p99,
    cpuMicros,
    wrong: all.reduce((sum, { wrong }) => sum + wrong, 0),
    firstWrong: all.flatMap(({ firstWrong }) => firstWrong ?? [])[0],
  };
}

async function bodyOf({ port, token }) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify(question(0));
  const response = await fetch(`http://127.0.0.1:${port}/v1/decide`, { method: 'POST', headers, body });
  return response.text();
}

function requestBytes(port, token, body) {
  const head = [
    'POST /v1/decide HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    `Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
