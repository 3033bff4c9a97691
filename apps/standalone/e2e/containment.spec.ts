import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gate, outcomeOf, until, type DemoClient } from './gate.js';

/** The same ports over a restart, so that a token of before still names the right issuer; below those the system hands out. */
const PORT_BASE = 10_000 + (process.pid % 20_000);

let data: string;
let gate: Gate;
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'portcullis-data-'));
  gate = await Gate.start(['--data', data, '--port-base', String(PORT_BASE)]);
}, 60_000);
afterAll(async () => {
  await gate.stop();
  rmSync(data, { recursive: true, force: true });
});

interface Agent {
  agent: string;
  client_id: string;
  state: string;
  why: string;
  denials: number;
}
const agentOf = async (client: DemoClient): Promise<Agent | undefined> => {
  const { body } = await gate.analytics('/v1/agents?limit=200');
  return (body as { items: Agent[] }).items.find(({ client_id }) => client_id === client.client_id);
};
const lookUp = (token: string) => gate.call(token, 'get_customer_info', { customer_id: '12345' });
const probe = (token: string) => gate.call(token, 'delete_customer', { customer_id: '12345' });
const move = (agent: string, to: string, reason: string) =>
  gate.analytics(`/v1/agents/${agent}/transitions`, { method: 'POST', body: JSON.stringify({ to, reason }) });

/** Containment takes effect within a second; asked every 20 ms until then. */
const quarantined = (token: string) =>
  until(async () => {
    const answer = await lookUp(token);
    return outcomeOf(answer) === 'quarantined' ? answer : undefined;
  }, 1_000);

test('an agent that probes beyond its ceiling is isolated, stays so over a restart, and a person lets it out', async () => {
  const client = await gate.newClient(['customer:read']);
  const token = await gate.tokenFor(client);
  for (let n = 0; n < 5; n++) expect(outcomeOf(await probe(token))).toBe('scope_insufficient');

  const refused = await quarantined(token);
  expect(refused).toMatchObject({ status: 403, body: { error: { code: 40301 } } });
  expect(refused.headers.get('www-authenticate')).toBeNull();
  const tokenAnswer = await gate.requestToken(client);
  expect([tokenAnswer.status, ((await tokenAnswer.json()) as { error: string }).error]).toEqual([400, 'access_denied']);
  expect(await agentOf(client)).toMatchObject({ state: 'Isolated', denials: 5 });

  expect(await gate.stop()).toBe(0);
  gate = await Gate.start(['--data', data, '--port-base', String(PORT_BASE)]);
  expect(outcomeOf(await lookUp(token))).toBe('quarantined');
  expect((await gate.requestToken(client)).status).toBe(400);

  const { agent } = (await agentOf(client))!;
  expect((await move(agent, 'Normal', 'too fast')).status).toBe(409);
  expect((await gate.portcullis('agent', 'release', client.client_id)).code).toBe(2);
  expect(await gate.portcullis('agent', 'release', client.client_id, '--reason', 'looked into it')).toMatchObject({
    code: 0,
  });
  expect(await agentOf(client)).toMatchObject({ state: 'Remediation' });
  const fresh = await until(() => gate.tokenFor(client));
  const outcomes = [];
  for (let n = 0; n < 31; n++) outcomes.push(outcomeOf(await lookUp(fresh)));
  expect(outcomes.slice(0, 30)).toEqual(Array(30).fill('allowed'));
  expect(outcomes[30]).toBe('rate_limited');
  expect((await gate.portcullis('agent', 'release', agent, '--reason', 'clean')).code).toBe(0);
  expect(await agentOf(client)).toMatchObject({ state: 'Normal' });

  const path = await until(async () => {
    const { body } = await gate.analytics(`/v1/events?agent=${agent}&type=portcullis.standing.v1&limit=50`);
    const { items } = body as { items: { data: { to: string; by: string } }[] };
    return items[0]?.data.to === 'Normal' ? items.toReversed().map(({ data: { to, by } }) => [to, by]) : undefined;
  });
  const person = `local-admin/${process.getuid!()}`;
  expect(path).toEqual([
    ['Monitoring', expect.stringMatching(/^rule:/)],
    ['Suspicious', expect.stringMatching(/^rule:/)],
    ['Isolated', expect.stringMatching(/^rule:/)],
    ['Remediation', person],
    ['Normal', person],
  ]);
}, 120_000);

test('the token of before the isolation does not come back to life for another agent, and others go on', async () => {
  const bad = await gate.newClient(['customer:read']);
  const good = await gate.newClient(['customer:read']);
  const [badToken, goodToken] = [await gate.tokenFor(bad), await gate.tokenFor(good)];
  for (let n = 0; n < 5; n++) await gate.call(badToken, 'no_such_tool', {});
  await quarantined(badToken);
  expect(outcomeOf(await lookUp(goodToken))).toBe('allowed');
  expect((await agentOf(good))?.state ?? 'Normal').toBe('Normal');
}, 60_000);

test('missing scopes inside the ceiling and bad arguments move nobody', async () => {
  const client = await gate.newClient(['customer:read', 'ticket:create']);
  const token = await gate.tokenFor(client, { scope: 'customer:read' });
  const ticket = { customer_id: '12345', subject: 's', description: 'd' };
  for (let n = 0; n < 8; n++) {
    expect(outcomeOf(await gate.call(token, 'create_support_ticket', ticket))).toBe('scope_insufficient');
    expect(outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: "'; DROP TABLE customers; --" }))).toBe(
      'input_invalid',
    );
  }
  await until(async () => {
    const { body } = await gate.analytics(`/v1/events?agent=${client.client_id}&limit=200`);
    return (body as { items: unknown[] }).items.length >= 16;
  });
  const agent = await agentOf(client);
  expect(agent).toMatchObject({ state: 'Normal', denials: 0 });
  expect(outcomeOf(await lookUp(token))).toBe('allowed');
}, 60_000);
