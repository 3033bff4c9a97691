import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gate, until } from './gate.js';

let data: string;
let gate: Gate;
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'portcullis-data-'));
  gate = await Gate.start(['--data', data, '--log-level', 'debug']);
}, 60_000);
afterAll(async () => {
  await gate.stop();
  rmSync(data, { recursive: true, force: true });
});

interface Event {
  id: string;
  source: string;
  seq: number;
  prev: string;
  type: string;
  tenant: string;
  data: { clientId?: string; correlationId?: string; method?: string; outcome?: string; argumentsDigest?: string };
}
const allEvents = async (): Promise<Event[]> => {
  const events: Event[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await gate.analytics(`/v1/events?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    const page = body as { items: Event[]; next_cursor: string | null };
    events.push(...page.items);
    cursor = page.next_cursor;
  }
  return events;
};

test('every request to /mcp is one event, refused or not, found by the correlation id it was answered with', async () => {
  const client = await gate.newClient(['customer:read', 'ticket:create']);
  const token = await gate.tokenFor(client, { scope: 'customer:read' });
  const answers = [
    await gate.call(undefined, 'get_customer_info', { customer_id: '12345' }),
    await gate.call('x.y.z', 'get_customer_info', { customer_id: '12345' }),
    await gate.call(token, 'get_customer_info', { customer_id: '12345' }),
    await gate.call(token, 'get_customer_info', { customer_id: '!' }),
    await gate.call(token, 'create_support_ticket', { customer_id: '12345', subject: 's', description: 'd' }),
    await gate.call(token, 'delete_customer', { customer_id: '12345' }),
    await gate.call(token, 'no_such_tool', {}),
    await gate.post(token, 'tools/list'),
    await gate.post(token, 'no/such/method'),
    await gate.post(token, 'resources/read', { uri: 'customer://12345' }),
  ];
  const ids = answers.map(({ headers }) => headers.get('x-correlation-id'));
  expect(new Set(ids).size).toBe(answers.length);
  const outcomes = await until(async () => {
    const events = (await allEvents()).filter(({ type }) => type === 'portcullis.call.v1');
    const found = ids.map((id) => events.filter((event) => event.data.correlationId === id));
    return found.every((events) => events.length > 0) ? found : undefined;
  });
  expect(outcomes.map((events) => events.map((event) => event.data.outcome))).toEqual([
    ['token_missing'],
    ['token_invalid'],
    ['allowed'],
    ['input_invalid'],
    ['scope_insufficient'],
    ['scope_insufficient'],
    ['tool_unknown'],
    ['allowed'],
    ['method_unknown'],
    ['allowed'],
  ]);
}, 60_000);

test('sequence numbers have no gap, and each event carries the hash of the one before it', async () => {
  const folders = readdirSync(join(data, 'outbox'));
  expect(folders.length).toBeGreaterThanOrEqual(3);
  const bySource = Map.groupBy(await allEvents(), ({ source }) => source);
  for (const [, events] of bySource) {
    const inOrder = events.toSorted((a, b) => a.seq - b.seq);
    expect(inOrder.map(({ seq }) => seq)).toEqual(inOrder.map((_, index) => index + 1));
    expect(inOrder[0]!.prev).toBe('0'.repeat(64));
  }
  const lines = folders.flatMap((folder) =>
    readdirSync(join(data, 'outbox', folder))
      .filter((file) => file.endsWith('.jsonl'))
      .sort()
      .flatMap((file) =>
        readFileSync(join(data, 'outbox', folder, file), 'utf8')
          .trim()
          .split('\n'),
      ),
  );
  // a seal is no event: it vouches for the one before it
  const parsed = lines
    .filter((line) => line.startsWith('{'))
    .map((line) => ({ line, event: JSON.parse(line) as Event }));
  expect(parsed.length).toBeGreaterThan(10);
  for (const { line, event } of parsed) {
    const next = parsed.find((other) => other.event.source === event.source && other.event.seq === event.seq + 1);
    if (next) expect(next.event.prev).toBe(createHash('sha256').update(line).digest('hex'));
  }
}, 60_000);

test('no secret, token, argument value or personal datum is in any event or in anything the process printed', async () => {
  const client = await gate.newClient(['customer:read', 'ticket:create']);
  const token = await gate.tokenFor(client, { scope: 'customer:read ticket:create' });
  const marker = 'MARKER-in-an-argument';
  await gate.call(token, 'create_support_ticket', { customer_id: '12345', subject: marker, description: marker });
  await gate.call(token, 'get_customer_info', { customer_id: marker });
  await until(async () => (await allEvents()).some((event) => event.data.clientId === client.client_id) || undefined);
  const recorded = JSON.stringify(await allEvents());
  const admin = JSON.parse(readFileSync(gate.ready.admin, 'utf8')) as { d: string };
  const secrets = [
    client.client_secret!,
    token,
    token.split('.')[2]!,
    admin.d,
    marker,
    ...gate.demo.users.map(({ password }) => password),
    ...Object.values(gate.demo.clients).flatMap(({ client_secret }) => client_secret ?? []),
    ...readdirSync(join(data, 'keys')).map((file) => readFileSync(join(data, 'keys', file), 'utf8').trim()),
  ];
  for (const secret of secrets) {
    expect(recorded.includes(secret)).toBe(false);
    expect(gate.output.includes(secret)).toBe(false);
  }
  expect(recorded + gate.output).not.toMatch(/\b\d{3}-\d{2}-\d{4}\b/);
}, 60_000);
