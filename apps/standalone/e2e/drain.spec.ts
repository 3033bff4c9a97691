import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gate, until } from './gate.js';

const MCP_SERVER = new URL('../../mcp-server/dist/main.js', import.meta.url).pathname;

/** A call whose last byte is still to be sent. */
function beginCall(gate: Gate, token: string): { request: ClientRequest; status: Promise<number>; finish(): void } {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'calculate_account_value', arguments: { purchases: [1, 2] } },
  });
  const request = httpRequest(gate.ready.mcp, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      authorization: `Bearer ${token}`,
      'content-length': body.length,
    },
  });
  const status = new Promise<number>((resolve, reject) =>
    request.on('error', reject).on('response', (answer) => resolve(answer.resume().statusCode ?? 0)),
  );
  request.write(body.slice(0, -1));
  return { request, status, finish: () => void request.end(body.slice(-1)) };
}

it('SIGTERM lets a call under way finish: /readyz says draining, nothing new is taken, the call is answered, and it ends with 0', async () => {
  const gate = await Gate.start();
  const client = await gate.newClient(['account:calculate']);
  const token = await gate.tokenFor(client);
  const slow = beginCall(gate, token);
  // the server has the head of the slow one when it has answered another that came after
  await until(async () => (await gate.call(token, 'calculate_account_value', { purchases: [1] })).status === 200);

  gate.child.kill('SIGTERM');
  const readyz = `${gate.ready.management.mcpServer}/readyz`;
  await until(async () => {
    const answer = await fetch(readyz);
    return answer.status === 503 && ((await answer.json()) as { status: string }).status === 'draining';
  });
  await expect(fetch(gate.ready.mcp)).rejects.toThrow();
  slow.finish();
  expect(await slow.status).toBe(200);
  expect(await gate.stop()).toBe(0);
});

it('a service alone says draining for DRAIN_DELAY_MS and serves on, then ends with 0', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-drain-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MCP_SERVER], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORTCULLIS_MODE: 'embedded', PORT: '0', DRAIN_DELAY_MS: '1500' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [, url = '', management = ''] = await until(
    () => /"url":"([^"]+)".*"management":"([^"]+)"/.exec(printed) ?? undefined,
  );
  await until(async () => (await fetch(`${management}/healthz`)).ok);

  child.kill('SIGTERM');
  await until(
    async () => ((await (await fetch(`${management}/readyz`)).json()) as { status: string }).status === 'draining',
  );
  expect((await fetch(`${url}/.well-known/oauth-protected-resource/mcp`)).status).toBe(200);
  expect(await exited).toBe(0);
  rmSync(folder, { recursive: true, force: true });
});
