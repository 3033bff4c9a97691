import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { foreignIssuer, served } from '../protect.fixture.js';

let issuer: Awaited<ReturnType<typeof foreignIssuer>>;
let gate: Awaited<ReturnType<typeof served>>;
beforeAll(async () => {
  issuer = await foreignIssuer();
  gate = await served(issuer);
});
afterAll(async () => {
  await gate.close();
  issuer.close();
});

/** The bytes of a request with these Host headers, in this order. @returns its status and the code of its refusal */
async function asked(line: string, hosts: readonly string[], more: readonly string[] = [], body = '') {
  const { hostname, port } = new URL(gate.resource);
  const head = [line, ...hosts.map((host) => `Host: ${host}`), ...more, `Content-Length: ${body.length}`];
  const socket = connect(Number(port), hostname);
  socket.write([...head, 'Connection: close', '', body].join('\r\n'));
  const answer = await text(socket);
  const [, code] = /"(?:code|error)":"([a-z_]+)"/.exec(answer) ?? [];
  return [Number(answer.slice(9, 12)), code];
}
const call = async (hosts: readonly string[]) =>
  asked(
    'POST /mcp HTTP/1.1',
    hosts,
    [
      `Authorization: Bearer ${await issuer.token(gate.resource)}`,
      'Content-Type: application/json',
      'Accept: application/json',
      'MCP-Protocol-Version: 2025-11-25',
    ],
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } }),
  );
const metadataAt =
  (path: string) =>
  (hosts: readonly string[]): Promise<unknown> =>
    asked(`GET ${path} HTTP/1.1`, hosts);

describe.each<[string, (hosts: readonly string[]) => Promise<unknown>]>([
  ['a call', call],
  ['the metadata', metadataAt('/.well-known/oauth-protected-resource/mcp')],
  ['the metadata at the bare path', metadataAt('/.well-known/oauth-protected-resource')],
])('%s', (_what, ask) => {
  test('is served to who says our Host once, and to nobody who says two, be both ours', async () => {
    const { host } = new URL(gate.resource);
    expect(await ask([host])).toEqual([200, undefined]);
    for (const second of [host, 'evil.example']) expect(await ask([host, second])).toEqual([403, 'origin_forbidden']);
  });
});
