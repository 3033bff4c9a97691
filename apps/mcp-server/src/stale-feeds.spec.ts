import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { memoryBus } from '@portcullis/bus/bus.memory';
import type { Bus } from '@portcullis/bus/bus';
import { STALE_MS } from '@portcullis/contract/containment';
import { signersOn } from '@portcullis/guard/feeds.fixture';
import { principalId } from '@portcullis/contract/ids';
import { call, modern, startRig, type Rig } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig.close());

const LOOKUP = call('get_customer_info', { customer_id: '12345' });
const COMPUTE = call('analyze_customer_sentiment', { text: 'all is well' });
const SCOPE = { scope: 'customer:read sentiment:analyze' };
const readyz = () => rig.raw({ url: `${rig.managementUrl}/readyz` });

it('a replica that did not hear of containment for 3 s serves what touches nothing, and says so', async () => {
  await rig.beat();
  rig.ageFeeds(STALE_MS);
  expect((await rig.post(LOOKUP, SCOPE)).status).toBe(200);
  rig.ageFeeds(1);

  const refused = await rig.post(LOOKUP, SCOPE);
  expect([refused.status, refused.json.error.data.code]).toEqual([503, 'overloaded']);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await rig.post(modern('resources/read', { uri: 'customer://12345' }), SCOPE)).status).toBe(503);
  expect((await rig.post(COMPUTE, SCOPE)).json.result.isError).not.toBe(true);
  expect((await rig.post(modern('tools/list'), SCOPE)).status).toBe(200);
  // it stays in service: its balancer has nowhere better to send them
  const { status, json } = await readyz();
  expect([status, json.checks.standing, json.checks.revocations]).toEqual([200, 'ok', 'ok']);
  expect(json.notes).toMatchObject({
    standingFeed: 'stale: heard 3001 ms ago',
    revocationFeed: 'stale: heard 3001 ms ago',
  });

  await rig.beat();
  expect((await rig.post(LOOKUP, SCOPE)).status).toBe(200);
  expect((await readyz()).json.notes).toMatchObject({ standingFeed: 'heard 0 ms ago' });
});

it('a clock that is turned makes no feed stale', async () => {
  await rig.beat();
  rig.skip(3_600_000);
  expect((await rig.post(LOOKUP, { ...SCOPE, claims: { exp: Math.floor(rig.now() / 1000) + 900 } })).status).toBe(200);
  rig.skip(-3_600_000);
  expect((await rig.post(LOOKUP, SCOPE)).status).toBe(200);
});

it('a new replica knows who is contained before it is ready, though the bus is slow', async () => {
  const whole = memoryBus();
  const signers = signersOn(whole);
  const agent = principalId('default', 'agent');
  const body = { tenant: 'default', agent, state: 'Isolated', since: new Date().toISOString() };
  await signers.say('portcullis.standing', `default/${agent}`, body);
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  let waiting = false;
  const slow: Bus = {
    ...whole,
    subscribe: async (...subscription) => {
      waiting = true;
      await gate;
      return whole.subscribe(...subscription);
    },
  };
  let ready = false;
  const starting = startRig({}, { bus: slow, containment: signers.containment }).then((started) => {
    ready = true;
    return started;
  });
  while (!waiting) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(ready).toBe(false);
  release();
  const late = await starting;
  try {
    const answer = await late.post(COMPUTE, SCOPE);
    expect([answer.status, answer.json.error.data.code]).toEqual([403, 'quarantined']);
  } finally {
    await late.close();
  }
}, 60_000);

it('a message that nobody signed revokes nothing and contains nobody', async () => {
  const at = new Date(rig.now()).toISOString();
  const until = new Date(rig.now() + 900_000).toISOString();
  const revocation = { tenant: 'default', what: 'client', id: 'agent', at, until };
  const agent = principalId('default', 'agent');
  const standing = { tenant: 'default', agent, state: 'Isolated', since: at };
  await rig.bus.publish('portcullis.revocations', [{ key: 'default/client/agent', value: JSON.stringify(revocation) }]);
  await rig.bus.publish('portcullis.standing', [{ key: `default/${agent}`, value: JSON.stringify(standing) }]);
  expect((await rig.post(LOOKUP, SCOPE)).status).toBe(200);
  const metrics = await (await fetch(`${rig.managementUrl}/metrics`)).text();
  for (const topic of ['revocations', 'standing'])
    expect(metrics).toContain(`portcullis_containment_passed_over_total{topic="portcullis.${topic}",reason="unsigned"`);
});
