import { principalId } from '@portcullis/contract/ids';
import { descriptor, rpcClient } from '@portcullis/rate-limiter/grpc.fixture';
import { Gate, outcomeOf } from './gate.js';

let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate.stop());

test('the 61st call of a minute is 429, says when to come back, and a fresh agent is not affected', async () => {
  const busy = await gate.tokenFor(await gate.newClient(['customer:read']));
  const calls = [];
  for (let n = 0; n < 61; n++) calls.push(await gate.call(busy, 'get_customer_info', { customer_id: '12345' }));
  expect(calls.slice(0, 60).map(outcomeOf)).toEqual(Array(60).fill('allowed'));
  const refused = calls[60]!;
  expect(refused).toMatchObject({ status: 429, body: { error: { code: 42900, data: { code: 'rate_limited' } } } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(66);

  const fresh = await gate.tokenFor(await gate.newClient(['customer:read']));
  expect(outcomeOf(await gate.call(fresh, 'get_customer_info', { customer_id: '12345' }))).toBe('allowed');
}, 60_000);

test('100 calls at once admit no more than 60', async () => {
  const token = await gate.tokenFor(await gate.newClient(['customer:read']));
  const calls = Array.from({ length: 100 }, () => gate.call(token, 'get_customer_info', { customer_id: '12345' }));
  const outcomes = (await Promise.all(calls)).map(outcomeOf);
  expect(outcomes.filter((outcome) => outcome === 'allowed')).toHaveLength(60);
  expect(outcomes.filter((outcome) => outcome === 'rate_limited')).toHaveLength(40);
}, 60_000);

test('the rate-limiter service draws on the very windows that mcp-server asks', async () => {
  const client = await gate.newClient(['customer:read']);
  const gateway = await gate.newClient(['limits:decide']);
  const audience = `${gate.ready.rateLimiter}/v1`;
  const authorization = `Bearer ${await gate.tokenFor(gateway, { resource: audience, scope: 'limits:decide' })}`;
  const decide = async () => {
    const answer = await fetch(`${audience}/decide`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ principal: principalId('default', client.client_id) }),
    });
    return (await answer.json()) as { allowed: boolean; remaining: number };
  };
  for (let n = 0; n < 59; n++) expect(await decide()).toMatchObject({ allowed: true, remaining: 59 - n });
  const token = await gate.tokenFor(client);
  const outcomes = [];
  for (let n = 0; n < 2; n++)
    outcomes.push(outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: '12345' })));
  expect(outcomes).toEqual(['allowed', 'rate_limited']);
  expect(await decide()).toMatchObject({ allowed: false, limitType: 'requests' });
}, 60_000);

test('so does its service for Envoy, at the address in the ready file, for whoever has a token', async () => {
  const client = await gate.newClient(['customer:read']);
  const gateway = await gate.newClient(['limits:decide']);
  const resource = `${gate.ready.rateLimiter}/v1`;
  const authorization = `Bearer ${await gate.tokenFor(gateway, { resource, scope: 'limits:decide' })}`;
  const envoy = rpcClient(gate.ready.rateLimiterGrpc!);
  const asked = {
    domain: 'default',
    descriptors: [descriptor({ principal: principalId('default', client.client_id), tool: 'get_customer_info' })],
  };
  expect((await envoy.ask(asked)).details).toMatch(/^token_missing: /);
  for (let n = 0; n < 59; n++) {
    const { reply } = await envoy.ask(asked, { authorization });
    expect([reply.overallCode, reply.statuses[0].limitRemaining]).toEqual(['OK', 59 - n]);
  }
  const token = await gate.tokenFor(client);
  expect(outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: '12345' }))).toBe('allowed');
  expect((await envoy.ask(asked, { authorization })).reply.overallCode).toBe('OVER_LIMIT');
  envoy.close();
}, 60_000);

test('a tool with a smaller limit refuses earlier than the principal does', async () => {
  const token = await gate.tokenFor(await gate.newClient(['account:calculate']));
  const calls = [];
  for (let n = 0; n < 31; n++) calls.push(await gate.call(token, 'calculate_account_value', { purchases: [1] }));
  expect(calls.slice(0, 30).map(outcomeOf)).toEqual(Array(30).fill('allowed'));
  expect(calls[30]!.body.error?.data).toMatchObject({ code: 'rate_limited', limitType: 'tool_requests' });
}, 60_000);
