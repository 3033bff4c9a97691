// The floor: node:http, jose on each call, JSON.parse; no MCP library, no schema.
import { createServer } from 'node:http';
import { lookUp, port, ready, SCOPE } from '../shared.mjs';
import { scopesOf, verifyHeader } from './verify.mjs';

function send(response, status, value) {
  const body = JSON.stringify(value);
  const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, head).end(body);
}

async function answer(request, response, chunks) {
  let claims;
  try {
    claims = await verifyHeader(request.headers.authorization);
  } catch {
    return send(response, 401, { error: 'invalid_token' });
  }
  if (!scopesOf(claims).includes(SCOPE)) return send(response, 403, { error: 'insufficient_scope' });
  const { id, method, params } = JSON.parse(Buffer.concat(chunks));
  if (method !== 'tools/call') return send(response, 400, {});
  const result = { resultType: 'complete', ...lookUp(params.arguments.customerId) };
  return send(response, 200, { jsonrpc: '2.0', id, result });
}

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => answer(request, response, chunks));
}).listen(port, '127.0.0.1', ready);
