import { Gate, outcomeOf, until } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate.stop());

const boundTo = (customer_id: string) => JSON.stringify([{ type: 'portcullis_task', customer_id }]);
const look = (token: string, customer_id: string) => gate.call(token, 'get_customer_info', { customer_id });
interface CallEvent {
  readonly data: {
    readonly outcome: string;
    readonly denial: boolean;
    readonly task?: string;
    readonly labels?: string[];
  };
}
const eventsOf = async (clientId: string): Promise<CallEvent[]> => {
  const { body } = await gate.analytics(`/v1/events?agent=${clientId}&type=portcullis.call.v1&limit=50`);
  return (body as { items: CallEvent[] }).items;
};

test('a machine’s task about one customer reads no other; each try is a denial on record, and five isolate the agent', async () => {
  const client = await gate.newClient(['customer:read']);
  const token = await gate.tokenFor(client, { authorization_details: boundTo('12345') });
  expect(outcomeOf(await look(token, '12345'))).toBe('allowed');
  const others = ['67890', 'ABC123', 'XYZ789', 'QRS456', 'NOBODY'];
  for (const other of others) expect(outcomeOf(await look(token, other))).toBe('row_forbidden');
  await until(async () => outcomeOf(await look(token, '12345')) === 'quarantined');

  const events = await until(async () => {
    const found = await eventsOf(client.client_id);
    return found.filter(({ data }) => data.outcome === 'row_forbidden').length === 5 ? found : undefined;
  });
  const refused = events.filter(({ data }) => data.outcome === 'row_forbidden');
  expect(refused.map(({ data }) => data.denial)).toEqual(others.map(() => true));
  expect(new Set(events.map(({ data }) => data.task)).size).toBe(1);
  expect(refused[0]?.data.task).toMatch(/^tsk_/);
}, 60_000);

test('a budget in the client’s record is what its tokens are held to', async () => {
  const client = await gate.newClient(['customer:read'], { customers_per_task: 2 });
  const tokenOfTask = () =>
    gate.tokenFor(client, { authorization_details: JSON.stringify([{ type: 'portcullis_task' }]) });
  const token = await tokenOfTask();
  const outcomes = [];
  for (const id of ['12345', '67890', 'ABC123', '12345']) outcomes.push(outcomeOf(await look(token, id)));
  expect(outcomes).toEqual(['allowed', 'allowed', 'row_forbidden', 'allowed']);
  expect(outcomeOf(await look(await tokenOfTask(), 'ABC123'))).toBe('allowed');
}, 60_000);

test('the command line registers budgets, and shows them', async () => {
  const made = await gate.portcullis(
    'client',
    'add',
    'wide',
    '--scope',
    'customer:read',
    '--bearer',
    '--customers-per-task',
    '100',
    '--customers-per-hour',
    '500',
    '--json',
  );
  const { client_id: id } = JSON.parse(made.out) as { client_id: string };
  expect(JSON.parse((await gate.portcullis('client', 'show', id, '--json')).out)).toMatchObject({
    customers_per_task: 100,
    customers_per_hour: 500,
  });
  const wrong = await gate.portcullis('client', 'add', 'x', '--scope', 'customer:read', '--customers-per-task', '0');
  expect([wrong.code, wrong.said]).toEqual([2, expect.stringContaining('--customers-per-task')]);
}, 60_000);

test('who reads the poisoned ticket is told so, and mails nobody afterwards', async () => {
  const client = await gate.newClient(['ticket:read', 'email:send']);
  const token = await gate.tokenFor(client, { scope: 'ticket:read email:send' });
  const ticket = await gate.call(token, 'get_support_ticket', { ticket_id: 'T-000003' });
  expect(ticket.body.result?._meta).toMatchObject({ 'portcullis/labels': ['hostile'] });
  const mail = await gate.call(token, 'send_bulk_email', { customer_ids: ['67890'], subject: 's', body: 'b' });
  expect(outcomeOf(mail)).toBe('chain_forbidden');
  const told = await until(async () =>
    (await eventsOf(client.client_id)).find(({ data }) => data.labels !== undefined),
  );
  expect(told.data.labels).toEqual(['hostile']);
}, 60_000);

test('the pins of the tools that run are those that were approved', async () => {
  expect(await gate.portcullis('pins', 'diff')).toMatchObject({ code: 0, out: 'Every tool is as it was approved.\n' });
  const { out } = await gate.portcullis('pins', 'list', '--json');
  const { tools } = JSON.parse(out) as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['get_customer_info', 'delete_records']));
}, 60_000);
