import { LLMock } from '@copilotkit/aimock';
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import OpenAI from 'openai';
import { Gate, outcomeOf, type DemoClient } from './gate.js';

/** A scripted model: it answers each prompt with one planned tool call, then with a closing sentence. */
const PLANS = {
  'Look up customer 12345 and summarize their status': ['get_customer_info', { customer_id: '12345' }],
  'Create a support ticket for customer 67890 about billing': [
    'create_support_ticket',
    { customer_id: '67890', subject: 'Billing', description: 'Asks about the last invoice.' },
  ],
  'Calculate total value for customer with purchases: $150, $300, $89': [
    'calculate_account_value',
    { purchases: [150, 300, 89] },
  ],
  "Look up customer '; DROP TABLE customers; --": ['get_customer_info', { customer_id: "'; DROP TABLE customers; --" }],
  'Delete all customer records': ['delete_customer', { customer_id: '12345' }],
} as const;
type Prompt = keyof typeof PLANS;

let gate: Gate;
const model = new LLMock({ port: 0, strict: true });
beforeAll(async () => {
  for (const [prompt, [name, args]] of Object.entries(PLANS)) {
    model.on({ userMessage: prompt, hasToolResult: false }, { toolCalls: [{ name, arguments: JSON.stringify(args) }] });
    model.on({ userMessage: prompt, hasToolResult: true }, { content: 'That is what I found.' });
  }
  await model.start();
  gate = await Gate.start();
}, 60_000);
afterAll(async () => {
  await model.stop();
  await gate.stop();
});

/** An agent as a team would write one: MCP tools handed to an OpenAI tool loop. Returns what the model read of each call. */
async function ask(prompt: Prompt, client: DemoClient = gate.demo.clients['support-agent']!): Promise<string[]> {
  const authProvider = new ClientCredentialsProvider({
    clientId: client.client_id,
    clientSecret: client.client_secret!,
    scope: client.scopes.join(' '),
    expectedIssuer: gate.ready.authServer,
  });
  const mcp = new Client({ name: 'support-agent', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await mcp.connect(new StreamableHTTPClientTransport(new URL(gate.ready.mcp), { authProvider }));
  const read: string[] = [];
  const callTool = (name: string) => async (args: object) => {
    const text = await mcp.callTool({ name, arguments: { ...args } }).then(
      ({ content }) => content.map((block) => (block.type === 'text' ? block.text : '')).join('\n'),
      (error: Error) => `refused: ${error.message}`,
    );
    read.push(text);
    return text;
  };
  const { tools } = await mcp.listTools();
  const names = new Set([...tools.map(({ name }) => name), PLANS[prompt][0]]);
  const openai = new OpenAI({ baseURL: `${model.url}/v1`, apiKey: 'none' });
  const runner = openai.chat.completions.runTools({
    model: 'scripted',
    messages: [{ role: 'user', content: prompt }],
    tools: [...names].map((name) => ({
      type: 'function',
      function: {
        name,
        description: tools.find((tool) => tool.name === name)?.description ?? name,
        parameters: { type: 'object' },
        parse: JSON.parse,
        function: callTool(name),
      },
    })),
  });
  expect(await runner.finalContent()).toBe('That is what I found.');
  await mcp.close();
  return read;
}

test('a customer is looked up, with SSN and card masked before the model reads them', async () => {
  const [text] = await ask('Look up customer 12345 and summarize their status');
  const customer = JSON.parse(text!) as Record<string, string>;
  expect(customer).toMatchObject({ customer_id: '12345', status: expect.any(String) as string });
  expect(customer['ssn']).toMatch(/^\*{3}-\*{2}-\d{4}$/);
  expect(customer['card']).toMatch(/^(\*{4}-){3}\d{4}$/);
}, 60_000);

test('a ticket is created and can be read back', async () => {
  const [text] = await ask('Create a support ticket for customer 67890 about billing');
  const { ticket_id } = JSON.parse(text!) as { ticket_id: string };
  expect(ticket_id).toMatch(/^T-[0-9]{6,12}$/);
  const token = await gate.tokenFor(gate.demo.clients['support-agent']!, { scope: 'ticket:read' });
  const ticket = await gate.call(token, 'get_support_ticket', { ticket_id });
  expect(ticket.body.result?.structuredContent).toMatchObject({ ticket_id, customer_id: '67890', subject: 'Billing' });
}, 60_000);

test('the purchases $150, $300 and $89 are worth $539', async () => {
  const [text] = await ask('Calculate total value for customer with purchases: $150, $300, $89');
  expect(JSON.parse(text!)).toMatchObject({ total: 539 });
}, 60_000);

test('SQL in a customer id is refused by validation, in words a model can read, and the table is unchanged', async () => {
  const [text] = await ask("Look up customer '; DROP TABLE customers; --");
  expect(text).toContain('input_invalid');
  expect(text).toContain('customer_id');
  expect(text).not.toContain('DROP TABLE');
  const [again] = await ask('Look up customer 12345 and summarize their status');
  expect(JSON.parse(again!)).toMatchObject({ customer_id: '12345' });
}, 60_000);

test('an agent that may not delete is refused, and nothing is deleted', async () => {
  const client = await gate.newClient(['customer:read']);
  const [text] = await ask('Delete all customer records', client);
  expect(text).toMatch(/^refused: /);
  const token = await gate.tokenFor(client);
  expect(outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: '12345' }))).toBe('allowed');
}, 60_000);

test('the model never sees a token, a secret, an SSN or a card number', () => {
  const seen = JSON.stringify(model.getRequests());
  expect(seen).not.toContain(gate.demo.clients['support-agent']!.client_secret);
  expect(seen).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
  expect(seen).not.toMatch(/\b\d{3}-\d{2}-\d{4}\b/);
  expect(seen).not.toMatch(/\b(?:\d{4}[- ]?){3}\d{4}\b/);
});
