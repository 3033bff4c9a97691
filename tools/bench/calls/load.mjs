// The load: requests made ahead, written to plain sockets. A client on node:http would cost more than our server does.
import { connect } from 'node:net';
import { IN_ANSWER } from './shared.mjs';

const HEAD_END = '\r\n\r\n';

/**
 * Sends requests over keep-alive connections, one at a time on each, and checks every answer. Requests are taken in turn
 * from `from` on, and once only with `once`. With `rate`, calls a second, each call has its moment on a fixed timetable and
 * waiting for a connection is part of it (open loop); without it each answer brings the next call.
 * @param {{ port: number, connections: number, requests: Buffer[], from?: number, once?: boolean, seconds?: number,
 *   calls?: number, rate?: number, isRight?: (answer: string) => boolean }} options
 */
export async function load({
  port,
  connections,
  requests,
  from = 0,
  once = false,
  seconds,
  calls,
  rate,
  isRight = isCustomer,
}) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => opened(port)));
  const waits = [];
  const idle = [...sockets];
  const due = [];
  const started = performance.now();
  const until = seconds === undefined ? Infinity : started + seconds * 1000;
  const most = Math.min(calls ?? Infinity, once ? requests.length : Infinity);
  let sent = 0;
  let answered = 0;
  let wrong = 0;
  let firstWrong;

  await new Promise((resolve, reject) => {
    const send = (socket, at) => {
      socket.asked = at;
      socket.write(requests[(from + sent) % requests.length]);
      sent += 1;
    };
    const over = (now) => now >= until || sent >= most;
    const finish = () => {
      if (answered === sent) resolve();
    };
    for (const socket of sockets) {
      socket.on('error', reject).on('close', () => reject(new Error('the server closed a connection')));
      socket.on('data', (chunk) => {
        const answer = whole(socket, chunk);
        if (answer === undefined) return;
        const now = performance.now();
        waits.push(now - socket.asked);
        answered += 1;
        if (!isRight(answer)) {
          wrong += 1;
          firstWrong ??= answer.slice(0, 1000);
        }
        if (rate !== undefined) {
          if (due.length > 0) send(socket, due.shift());
          else idle.push(socket);
        } else if (!over(now)) return send(socket, now);
        if (over(now) && due.length === 0) finish();
      });
    }
    if (rate === undefined) {
      for (const socket of sockets) if (!over(performance.now())) send(socket, performance.now());
      if (sent === 0) resolve();
    } else timetable({ rate, started, until, idle, due, send, done: finish });
  }).finally(() => {
    for (const socket of sockets)
      socket
        .removeAllListeners()
        .on('error', () => {})
        .destroy();
  });

  waits.sort((a, b) => a - b);
  const took = (performance.now() - started) / 1000;
  const at = (share) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? NaN;
  return { calls: answered, perSecond: answered / took, p50: at(0.5), p99: at(0.99), wrong, firstWrong };
}

/** Each call has its moment; what finds no free connection waits, and the waiting is part of its time. */
function timetable({ rate, started, until, idle, due, send, done }) {
  let planned = 0;
  const tick = () => {
    const now = performance.now();
    for (; started + (planned / rate) * 1000 <= Math.min(now, until); planned += 1) {
      const at = started + (planned / rate) * 1000;
      const socket = idle.pop();
      if (socket === undefined) due.push(at);
      else send(socket, at);
    }
    if (now < until) setTimeout(tick, 1);
    else done();
  };
  tick();
}

async function opened(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.removeAllListeners('error');
  socket.held = '';
  return socket;
}

/** @returns the whole answer as latin1 text, once it has come; servers answer one at a time here */
function whole(socket, chunk) {
  const text = socket.held === '' ? chunk.latin1Slice() : socket.held + chunk.latin1Slice();
  const end = text.indexOf(HEAD_END);
  if (end >= 0) {
    const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1];
    const complete = length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= end + 4 + Number(length);
    if (complete) {
      socket.held = '';
      return text;
    }
  }
  socket.held = text;
  return undefined;
}

const isCustomer = (answer) =>
  answer.startsWith('HTTP/1.1 200') && answer.includes(IN_ANSWER) && !answer.includes('"isError":true');

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/**
 * The bytes of one `tools/call`, of 2026-07-28 or (`legacy`) of 2025-11-25.
 * @param {{ port: number, tool: string, customer?: string, args?: object, legacy?: boolean, token?: string, scheme?: string,
 *   proof?: string }} call `args`: all of its arguments, instead of a customer
 */
export function callBytes({ port, legacy = false, tool, customer, args, token, scheme = 'Bearer', proof }) {
  const params = { name: tool, arguments: args ?? { customerId: customer }, ...(!legacy && { _meta: META }) };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const head = [
    'POST /mcp HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `MCP-Protocol-Version: ${legacy ? '2025-11-25' : '2026-07-28'}`,
    ...(legacy ? [] : ['Mcp-Method: tools/call', `Mcp-Name: ${tool}`]),
    ...(token === undefined ? [] : [`Authorization: ${scheme} ${token}`]),
    ...(proof === undefined ? [] : [`DPoP: ${proof}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}${HEAD_END}${body}`);
}
