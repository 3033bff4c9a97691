import { decodeJwt } from 'jose';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  basic,
  jsonOf,
  MCP,
  postToken,
  secretOf,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';

let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const GRANT = { grant_type: 'client_credentials', resource: MCP };
const support = () => secretOf(gate.demo, 'support-agent');
const ask = (details: unknown, more: Record<string, string> = {}) =>
  postToken(
    gate,
    { ...GRANT, ...more, authorization_details: typeof details === 'string' ? details : JSON.stringify(details) },
    support(),
  );
const claimsOf = (reply: Awaited<ReturnType<typeof ask>>) => decodeJwt(String(reply.body.access_token));
const TASK = { type: 'portcullis_task' };

describe('a machine that asks for a task (RFC 9396)', () => {
  test('gets one of its own with each token, and the answer says so', async () => {
    const replies = [await ask([TASK]), await ask([TASK])];
    for (const reply of replies) expect(reply).toMatchObject({ status: 200, body: { authorization_details: [TASK] } });
    const tasks = replies.map((reply) => claimsOf(reply)['task']);
    for (const task of tasks) expect(task).toMatch(/^tsk_[a-z2-7]{26}$/);
    expect(tasks[0]).not.toBe(tasks[1]);
    expect(claimsOf(replies[0]!)).not.toHaveProperty('task_customer_id');
  });

  test('about one customer gets a task that is bound to it', async () => {
    const details = [{ ...TASK, customer_id: '12345' }];
    const reply = await ask(details);
    expect(reply).toMatchObject({ status: 200, body: { authorization_details: details } });
    expect(claimsOf(reply)).toMatchObject({ task_customer_id: '12345', authorization_details: details });
  });

  test.each([undefined, '[]'])('not at all (%j) has no task', async (details) => {
    const reply = await postToken(gate, { ...GRANT, ...(details && { authorization_details: details }) }, support());
    expect(reply.status).toBe(200);
    const claims = claimsOf(reply);
    for (const name of ['task', 'task_customer_id', 'authorization_details']) expect(claims).not.toHaveProperty(name);
  });

  test('names its own task no other way', async () => {
    const reply = await ask([TASK], { task: 'tsk_mine', task_customer_id: '67890' });
    expect(claimsOf(reply)['task']).not.toBe('tsk_mine');
    expect(claimsOf(reply)).not.toHaveProperty('task_customer_id');
  });

  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['no list', TASK],
    ['a list of nothing of ours', ['portcullis_task']],
    ['an unknown type', [{ type: 'payment_initiation' }]],
    ['a type of Object', [{ type: 'constructor' }]],
    ['no type', [{ customer_id: '12345' }]],
    ['an unknown field', [{ ...TASK, customer: '12345' }]],
    ['the id of a task', [{ ...TASK, task: 'tsk_mine' }]],
    ['a field that RFC 9396 has and we do not', [{ ...TASK, actions: ['read'] }]],
    ['two tasks', [TASK, { ...TASK, customer_id: '12345' }]],
    ['a customer that is none', [{ ...TASK, customer_id: "1' or '1'='1" }]],
    ['a customer in small letters', [{ ...TASK, customer_id: 'abc123' }]],
    ['a list of customers', [{ ...TASK, customer_id: ['12345'] }]],
    ['a customer that is null', [{ ...TASK, customer_id: null }]],
    ['a number for a customer', [{ ...TASK, customer_id: 12345 }]],
  ])('with %s is refused: invalid_authorization_details', async (_what, details) => {
    expect(await ask(details)).toMatchObject({ status: 400, body: { error: 'invalid_authorization_details' } });
  });

  test('for another resource than the protected server is refused', async () => {
    const reply = await postToken(gate, {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await assertion(gate.adminKey, 'local-admin', gate.issuer),
      resource: gate.uris.authAdmin,
      scope: 'admin:clients',
      authorization_details: JSON.stringify([TASK]),
    });
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_authorization_details' } });
  });
});

describe('the budgets in a client’s record', () => {
  const machine = {
    name: 'm',
    auth_method: 'client_secret_basic',
    dpop_bound_access_tokens: false,
    scopes: ['customer:read'],
  };
  const admin = async (method: string, path: string, body: unknown) => {
    const token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
    const answer = await fetch(`${gate.issuer}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: jsonOf(await answer.text()) };
  };

  test('are in its tokens, and can be changed', async () => {
    const { body: made } = await admin('POST', '/clients', {
      ...machine,
      customers_per_task: 3,
      customers_per_hour: 7,
    });
    expect(made).toMatchObject({ customers_per_task: 3, customers_per_hour: 7 });
    const auth = basic(String(made['client_id']), String(made['client_secret']));
    expect(claimsOf(await postToken(gate, GRANT, auth))).toMatchObject({
      customers_per_task: 3,
      customers_per_hour: 7,
    });
    const changed = await admin('PATCH', `/clients/${String(made['client_id'])}`, { customers_per_hour: 10_000 });
    expect(changed).toMatchObject({ status: 200, body: { customers_per_task: 3, customers_per_hour: 10_000 } });
    expect(claimsOf(await postToken(gate, GRANT, auth))).toMatchObject({ customers_per_hour: 10_000 });
  });

  test('are refused where a task could never come to its own, and both are named', async () => {
    const both = /customers_per_task of 100 can never be reached.*customers_per_hour is 60/;
    const wide = { ...machine, customers_per_task: 100 };
    const refused = await admin('POST', '/clients', wide);
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([400, expect.stringMatching(both)]);
    const { status, body: made } = await admin('POST', '/clients', { ...wide, customers_per_hour: 100 });
    expect(status).toBe(201);
    const path = `/clients/${String(made['client_id'])}`;
    const lowered = await admin('PATCH', path, { customers_per_hour: 60 });
    expect([lowered.status, JSON.stringify(lowered.body)]).toEqual([400, expect.stringMatching(both)]);
    expect(await admin('PATCH', path, { customers_per_task: 101 })).toMatchObject({ status: 400 });
    expect(await admin('PATCH', path, { name: 'm2' })).toMatchObject({
      status: 200,
      body: { customers_per_task: 100, customers_per_hour: 100 },
    });
    expect(await admin('PATCH', path, { customers_per_task: 60, customers_per_hour: 60 })).toMatchObject({
      status: 200,
    });
  });

  test.each([0, -1, 10_001, 1.5, '10', null])('are refused with %j', async (wrong) => {
    for (const name of ['customers_per_task', 'customers_per_hour']) {
      expect((await admin('POST', '/clients', { ...machine, [name]: wrong })).status).toBe(400);
      expect((await admin('PATCH', '/clients/support-agent', { [name]: wrong })).status).toBe(400);
    }
  });
});

test('what may be asked for is in the metadata', async () => {
  const metadata = (await (await fetch(`${gate.issuer}/.well-known/oauth-authorization-server`)).json()) as object;
  expect(metadata).toMatchObject({ authorization_details_types_supported: ['portcullis_task'] });
});

test.each(['/authorize', '/par'])('a person’s request at %s is told that its task is the grant', async (path) => {
  const query = new URLSearchParams({
    client_id: 'desktop',
    response_type: 'code',
    redirect_uri: 'http://127.0.0.1:9999/callback',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWBuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: MCP,
    authorization_details: JSON.stringify([TASK]),
  });
  const answer =
    path === '/par'
      ? await fetch(`${gate.issuer}${path}`, { method: 'POST', body: query })
      : await fetch(`${gate.issuer}${path}?${query}`, { redirect: 'manual' });
  const said = path === '/par' ? await answer.text() : (answer.headers.get('location') ?? '');
  expect(said).toContain('invalid_authorization_details');
});

test('the demo’s clients have the budgets that their work needs, and nobody else has any in the token', async () => {
  const reply = await postToken(gate, GRANT, secretOf(gate.demo, 'reporting-agent'));
  expect(claimsOf(reply)).toMatchObject({ customers_per_task: 1000, customers_per_hour: 5000 });
  const plain = claimsOf(await postToken(gate, GRANT, support()));
  for (const name of ['customers_per_task', 'customers_per_hour']) expect(plain).not.toHaveProperty(name);
});

test('introspection shows the task and what it may touch (RFC 9396 §9.2)', async () => {
  const details = [{ ...TASK, customer_id: '12345' }];
  const reply = await postToken(
    gate,
    { ...GRANT, authorization_details: JSON.stringify(details) },
    secretOf(gate.demo, 'reporting-agent'),
  );
  const token = String(reply.body.access_token);
  const answer = await fetch(`${gate.issuer}/introspect`, {
    method: 'POST',
    headers: secretOf(gate.demo, 'reporting-agent'),
    body: new URLSearchParams({ token }),
  });
  expect(await answer.json()).toMatchObject({
    active: true,
    task: expect.stringMatching(/^tsk_/),
    task_customer_id: '12345',
    customers_per_task: 1000,
    customers_per_hour: 5000,
    authorization_details: details,
  });
});
