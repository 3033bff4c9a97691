import {
  createMcpHandler,
  McpServer,
  type McpHttpHandler,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { SILENT } from '@portcullis/guard/exchange';
import { refusalOf } from '@portcullis/contract/refusals';
import { readSettings } from '@portcullis/service/settings';
import { redact } from '@portcullis/validators/redact';
import { config } from './config.js';
import { tenantData } from './data/tenant-data.sql.js';
import { SERVER_INFO } from './about.js';
import { legacy, modern, startRig, type Rig } from './rig.fixture.js';
import { TOOLS } from './tools/tools.js';
import { workshopOf } from './workshop.wire.js';

/**
 * `tools/call` has a writer of its own here (answer.ts). One corpus goes through it and through the SDK's handler with
 * the same tools; what differs has to be named.
 */
let rig: Rig;
let sdk: McpHttpHandler;
beforeAll(async () => {
  rig = await startRig();
  const workshop = workshopOf(readSettings(config, { PORTCULLIS_MODE: 'embedded' }), () => rig.managementUrl);
  const data = Object.assign(tenantData(rig.database, Date.now)('default'), workshop);
  sdk = createMcpHandler(() => {
    const server = new McpServer(SERVER_INFO);
    for (const { name, description, input, output, execute } of TOOLS.values()) {
      server.registerTool(
        name,
        { description, inputSchema: input as StandardSchemaWithJSON, outputSchema: output as StandardSchemaWithJSON },
        async (args) => {
          try {
            const structuredContent = redact(
              output,
              await execute(args as never, data as never, { signal: new AbortController().signal, exchange: SILENT }),
            ) as Record<string, unknown>;
            return { content: [{ type: 'text' as const, text: JSON.stringify(structuredContent) }], structuredContent };
          } catch (error) {
            throw new Error(refusalOf(error).code);
          }
        },
      );
    }
    return server;
  });
}, 60_000);
afterAll(async () => {
  await sdk.close();
  await rig.close();
});

type Sent = ReturnType<typeof modern>;
interface Seen {
  readonly http: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number };
}

async function ours(message: Sent): Promise<Seen> {
  const { status, json } = await rig.post(message, {
    client: `d-${Math.random()}`,
    scope: [...TOOLS.values()].flatMap((tool) => tool.scopes).join(' '),
    claims: { sub: 'p', auth_time: Math.floor(Date.now() / 1000) },
  });
  return { http: status, ...json };
}

async function theirs({ headers, body }: Sent): Promise<Seen> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(body),
  };
  const response = await sdk.fetch(new Request('http://127.0.0.1/mcp', init));
  const text = await response.text();
  // older revisions are answered as one event of a stream
  const event = text.split('\n').find((line) => line.startsWith('data: '));
  return { http: response.status, ...JSON.parse(event?.slice('data: '.length) ?? text) };
}

const speaking = (revision: string) => (method: string, params: Record<string, unknown>) =>
  legacy(method, params, revision);
const ERAS = {
  '2026-07-28': modern,
  '2025-11-25': speaking('2025-11-25'),
  '2025-06-18': speaking('2025-06-18'),
  '2025-03-26': speaking('2025-03-26'),
};
const eras = Object.entries(ERAS);
const corpus = (rows: readonly (readonly [name: string, params: Record<string, unknown>])[]) =>
  eras.flatMap(([revision, say]) =>
    rows.map(([name, params]) => [revision, name, say('tools/call', params) as Sent] as const),
  );
const good = (name: string, args?: unknown) =>
  [name, { name, ...(args !== undefined && { arguments: args }) }] as const;

it.each(
  corpus([
    good('get_customer_info', { customer_id: '12345' }),
    good('get_recent_customers'),
    good('get_recent_customers', {}),
    good('get_recent_customers', { limit: 2 }),
    good('get_support_ticket', { ticket_id: 'T-000002' }),
    good('calculate_account_value', { purchases: [150, 300, 89] }),
    good('calculate_account_value', { customer_id: '12345', purchases: [0.1, 0.2] }),
    good('update_customer', { customer_id: '67890', name: 'Zoë "Z" \u2028 \\ </script>' }),
    good('analyze_customer_sentiment', { text: 'I like it 😀 \u2028\n"and" \\' }),
    good('run_diagnostic', { check: 'runtime' }),
    good('run_diagnostic', { check: 'limiter' }),
    good('read_all_customers', { limit: 2, cursor: '12345' }),
    good('export_data', { dataset: 'tickets', limit: 2 }),
    good('export_data', { dataset: 'customers', limit: 2, cursor: '67890' }),
  ]),
)('%s: %s gives the very same answer', async (_revision, _name, message) => {
  const { jsonrpc: _, ...answer } = (await theirs(message)) as Seen & { jsonrpc: unknown };
  const { jsonrpc, ...own } = (await ours(message)) as Seen & { jsonrpc: unknown };
  expect(own).toEqual(answer);
  expect(jsonrpc).toBe('2.0');
  expect(own).toHaveProperty('result.structuredContent');
});

it.each(
  corpus([
    good('get_customer_info', {}),
    good('get_customer_info', { customer_id: "'; DROP TABLE customers; --" }),
    good('get_customer_info', { customer_id: '12345', more: 1 }),
    good('get_customer_info'),
    good('get_customer_info', { customer_id: 'NOBODY' }),
    good('calculate_account_value', {}),
    good('get_support_ticket', { ticket_id: 7 }),
    good('analyze_customer_sentiment', { text: '' }),
    good('attach_file_to_ticket', { ticket_id: 'T-000001', name: 'a.png', content: 'AAAA' }),
    good('attach_file_to_ticket', { ticket_id: 'T-999999', name: 'a.txt', content: 'aGVsbG8=' }),
    good('run_diagnostic', { check: 'DROP' }),
    good('read_all_customers', { limit: 201 }),
    good('send_bulk_email', { customer_ids: [], subject: 's', body: 'b' }),
    good('delete_records', { dataset: 'tickets', ids: ['DROP'] }),
  ]),
)(
  '%s: %s with what it refuses gives an error result in both, in words of our own',
  async (revision, _name, message) => {
    const shape = ({ http, result }: Seen) => {
      const { content, _meta, ...rest } = result as {
        content: { type: string; text: string }[];
        _meta?: Record<string, unknown>;
      };
      const { 'portcullis/refusal': _, ...meta } = _meta ?? {};
      return { http, ...rest, types: content.map(({ type }) => type), meta };
    };
    const [own, other] = [await ours(message), await theirs(message)];
    expect(shape(own)).toEqual(shape(other));
    expect(own.result).toHaveProperty(['_meta', 'portcullis/refusal', 'code']);
    expect(JSON.stringify(own)).not.toContain('DROP');
    expect(revision in ERAS).toBe(true);
  },
);

describe('where the two differ on purpose', () => {
  it.each(eras)('%s: an unknown tool is the same error, and the name is not repeated', async (_revision, say) => {
    const message = say('tools/call', { name: 'nope_nope', arguments: {} }) as Sent;
    const [own, other] = [await ours(message), await theirs(message)];
    expect([own.http, own.error?.code]).toEqual([200, -32602]);
    expect([other.http, other.error?.code]).toEqual([200, -32602]);
    expect(JSON.stringify(own)).not.toContain('nope_nope');
  });

  it.each(eras)(
    '%s: a call without a name is HTTP 400 in the new revision, where the SDK answers 200',
    async (revision, say) => {
      const message = say('tools/call', { arguments: {} }) as Sent;
      const [own, other] = [await ours(message), await theirs(message)];
      expect([own.http, own.error?.code]).toEqual([revision === '2026-07-28' ? 400 : 200, -32602]);
      expect([other.http, other.error?.code]).toEqual([200, -32602]);
    },
  );

  it('a batch of an older revision is served by the SDK and refused by us', async () => {
    const { headers, body } = legacy('tools/call', { name: 'get_customer_info', arguments: { customer_id: '12345' } });
    const message = { headers, body: [body] } as unknown as Sent;
    expect(JSON.stringify(await theirs(message))).toContain('Ada Palmer');
    expect((await ours(message)).error?.code).toBe(40001);
  });
});
