import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { startRig, type Rig } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig.close());

const INFO = { name: 'test', version: '1' };
const bearer = async (client: string, scope = 'customer:read account:calculate') => ({
  requestInit: { headers: { authorization: `Bearer ${await rig.token({ client, scope })}` } },
});

/** What each of them does with the server, in the same words. */
async function tour(client: Pick<Client, 'listTools' | 'callTool' | 'readResource' | 'listResourceTemplates'>) {
  const { tools } = await client.listTools();
  const found = await client.callTool({ name: 'get_customer_info', arguments: { customer_id: '12345' } });
  const refused = await client.callTool({ name: 'get_customer_info', arguments: { customer_id: 'x' } });
  const { contents } = await client.readResource({ uri: 'customer://67890' });
  const { resourceTemplates } = await client.listResourceTemplates();
  return {
    tools: tools.map(({ name }) => name),
    found: (found.structuredContent as { name: string }).name,
    refused: [refused.isError, JSON.stringify(refused.content).includes('input_invalid')],
    read: JSON.parse((contents[0] as { text: string }).text).name,
    templates: resourceTemplates.map(({ uriTemplate }) => uriTemplate),
  };
}
const EXPECTED = {
  tools: ['get_customer_info', 'get_recent_customers', 'calculate_account_value'],
  found: 'Ada Palmer',
  refused: [true, true],
  read: 'Benoît Moreau',
  templates: ['customer://{customer_id}'],
};

it.each([
  ['auto', { mode: 'auto' }, '2026-07-28'],
  ['pinned to the new revision', { mode: { pin: '2026-07-28' } }, '2026-07-28'],
  ['legacy', undefined, '2025-11-25'],
] as const)('the SDK v2 client, %s, is served', async (name, versionNegotiation, revision) => {
  const client = new Client(INFO, versionNegotiation && { versionNegotiation });
  await client.connect(new StreamableHTTPClientTransport(new URL(rig.mcp), await bearer(`v2 ${name}`)));
  expect(client.getNegotiatedProtocolVersion()).toBe(revision);
  expect(await tour(client)).toEqual(EXPECTED);
  await client.close();
});

it('the SDK v1 client is served', async () => {
  const client = new ClientV1(INFO);
  const transport = new TransportV1(new URL(rig.mcp), await bearer('v1'));
  await client.connect(transport as never);
  expect(transport.protocolVersion).toBe('2025-11-25');
  expect(await tour(client as never)).toEqual(EXPECTED);
  await client.ping();
  await expect(client.listPrompts()).rejects.toMatchObject({ code: -32601 });
  await client.close();
});

it('a client whose token lacks a scope gets an error it can step up from', async () => {
  const client = new Client(INFO, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(rig.mcp), await bearer('v2 weak', 'ticket:read')));
  await expect(client.callTool({ name: 'get_customer_info', arguments: { customer_id: '12345' } })).rejects.toThrow();
  expect(rig.events.lastCall()).toMatchObject({ outcome: 'scope_insufficient', http: 403 });
  await client.close();
});
