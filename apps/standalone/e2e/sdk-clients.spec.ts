import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import { ClientCredentialsProvider as ProviderV1 } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Gate, until, type DemoClient } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate?.stop());

const secretProvider = (client: DemoClient, scope: string) =>
  new ClientCredentialsProvider({
    clientId: client.client_id,
    clientSecret: client.client_secret!,
    scope,
    expectedIssuer: gate.ready.authServer,
  });

async function connected(authProvider: OAuthClientProvider, mode: 'auto' | 'legacy' | { pin: string }) {
  const client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(gate.ready.mcp), { authProvider }));
  return client;
}

test.each([
  ['auto', '2026-07-28'],
  ['legacy', '2025-11-25'],
  [{ pin: '2026-07-28' }, '2026-07-28'],
] as const)(
  'SDK v2 with negotiation %j speaks %s from nothing to a tool call and a resource',
  async (mode, revision) => {
    const account = await gate.newClient(['customer:read', 'account:calculate']);
    const client = await connected(secretProvider(account, 'customer:read account:calculate'), mode as 'auto');
    expect(client.getNegotiatedProtocolVersion()).toBe(revision);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'get_customer_info',
      'get_recent_customers',
      'calculate_account_value',
    ]);
    const { structuredContent } = await client.callTool({
      name: 'get_customer_info',
      arguments: { customer_id: 'ABC123' },
    });
    expect(structuredContent).toMatchObject({ customer_id: 'ABC123' });
    const { contents } = await client.readResource({ uri: 'customer://XYZ789' });
    expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({ customer_id: 'XYZ789' });
    await client.close();
  },
  60_000,
);

test('SDK v1 gets a token by itself and calls tools on 2025-11-25', async () => {
  const account = await gate.newClient(['customer:read']);
  const authProvider = new ProviderV1({
    clientId: account.client_id,
    clientSecret: account.client_secret!,
    scope: 'customer:read',
    expectedIssuer: gate.ready.authServer,
  });
  const client = new ClientV1({ name: 'e2e', version: '1' });
  await client.connect(new TransportV1(new URL(gate.ready.mcp), { authProvider }));
  const answer = await client.callTool({ name: 'get_customer_info', arguments: { customer_id: '12345' } });
  expect(answer.structuredContent).toMatchObject({ customer_id: '12345' });
  const refused = await client.callTool({ name: 'get_customer_info', arguments: { customer_id: '!' } });
  expect(refused.isError).toBe(true);
  await client.close();
}, 60_000);

test('a token without the scope steps up inside its ceiling by itself and is not punished for it', async () => {
  const account = await gate.newClient(['customer:read', 'ticket:create']);
  const client = await connected(secretProvider(account, 'customer:read'), 'auto');
  const ticket = { customer_id: '12345', subject: 'Step-up', description: 'Asked for one scope more.' };
  const { structuredContent } = await client.callTool({ name: 'create_support_ticket', arguments: ticket });
  expect(structuredContent).toMatchObject({ customer_id: '12345' });
  await client.close();

  const events = await until(async () => {
    const { body } = await gate.analytics(`/v1/events?agent=${account.client_id}&tool=create_support_ticket`);
    const { items } = body as { items: { data: { outcome: string } }[] };
    return items.length >= 3 ? items : undefined;
  });
  expect(events.map(({ data }) => data.outcome)).toEqual(['allowed', 'attempted', 'scope_insufficient']);
  const { body } = await gate.analytics(`/v1/agents?client_id=${account.client_id}`);
  expect(body as unknown).toMatchObject({ items: [{ state: 'Normal', denials: 0 }] });
}, 60_000);
