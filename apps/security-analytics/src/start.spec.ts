import type { Bus } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { principalId } from '@portcullis/contract/ids';
import type { Database } from '@portcullis/sql/database';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { sql } from 'kysely';
import { AUDIT, type AuditTables } from './audit-tables.js';
import { admin, call, denials, nextNumber } from './events.fixture.js';
import { busMessage, readFeed, startIssuer, startService, until, type Issuer } from './service.fixture.js';

let database: Database;
let issuer: Issuer;
beforeAll(async () => {
  database = await openTestDatabase();
  issuer = await startIssuer();
}, 60_000);
afterAll(async () => {
  await issuer.close();
  await database.close();
});
const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.close();
});
const start = async (bus?: Bus) => {
  const service = await startService({ database, issuer, ...(bus && { bus }) });
  running.push(service);
  return service;
};
const newTenant = () => `s${nextNumber()}`;
const standingEvents = (tenant: string) =>
  database
    .everyTenant<AuditTables>(AUDIT)
    .selectFrom('events')
    .select(['outcome', 'line'])
    .where('tenant', '=', tenant)
    .where('type', '=', 'portcullis.standing.v1')
    .orderBy('time')
    .execute();

test('an isolation is on the standing feed by the time the bus is told that the batch was handled', async () => {
  const tenant = newTenant();
  const service = await start();
  const feed = await readFeed(service.bus);
  await service.say(denials(4, { tenant }));
  expect(feed.standings.filter((one) => one.tenant === tenant)).toMatchObject([{ state: 'Suspicious' }]);
  await service.say(denials(1, { tenant, at: 4000 }));
  expect(feed.standings.at(-1)).toMatchObject({ tenant, agent: principalId(tenant, 'client-a'), state: 'Isolated' });
});

test('transitions come back over the bus as audit events, once each, and move nobody again', async () => {
  const tenant = newTenant();
  const service = await start();
  const batch = denials(5, { tenant });
  await service.say(batch);
  await service.say(batch);
  const events = await until(async () => {
    const rows = await standingEvents(tenant);
    return rows.length >= 3 ? rows : undefined;
  });
  expect(events.map(({ outcome }) => outcome)).toEqual(['Monitoring', 'Suspicious', 'Isolated']);
  await until(async () => (service.events.stats().pending === 0 ? true : undefined));
  expect(await standingEvents(tenant)).toHaveLength(3);
});

test('after a restart the feed has everybody who is not Normal again, and the audit hears nothing twice', async () => {
  const tenant = newTenant();
  const first = await start();
  await first.say([...denials(5, { tenant }), call({ tenant, clientId: 'good' })]);
  await first.close();
  const second = await start();
  const feed = await readFeed(second.bus);
  const agent = principalId(tenant, 'client-a');
  expect(feed.standings.filter((one) => one.tenant === tenant)).toMatchObject([{ agent, state: 'Isolated' }]);
  expect(await standingEvents(tenant)).toHaveLength(3);
});

test('after a crash between commit and publish, the next start tells the feed before it is ready, and the audit', async () => {
  const tenant = newTenant();
  const whole = memoryBus();
  const crashing: Bus = {
    ...whole,
    publish: (topic, messages) =>
      topic === 'portcullis.standing' && messages.some(({ key }) => key.startsWith(tenant))
        ? Promise.reject(new Error('the process died here'))
        : whole.publish(topic, messages),
  };
  const first = await start(crashing);
  await first.events.close();
  await first.say(denials(5, { tenant }));
  const before = await readFeed(whole);
  expect(before.standings.filter((one) => one.tenant === tenant)).toEqual([]);
  expect((await (await fetch(`${first.managementUrl}/readyz`)).json()) as unknown).toMatchObject({
    status: 'not-ready',
    checks: { database: 'ok' },
  });
  await first.close();

  const second = await start();
  const feed = await readFeed(second.bus);
  expect(feed.standings.filter((one) => one.tenant === tenant)).toMatchObject([{ state: 'Isolated' }]);
  expect((await fetch(`${second.managementUrl}/readyz`)).status).toBe(200);
  const events = await until(async () => {
    const rows = await standingEvents(tenant);
    return rows.length >= 3 ? rows : undefined;
  });
  expect(events).toHaveLength(3);
});

test('a poison message goes to dead letters, once, and the stream goes on', async () => {
  const tenant = newTenant();
  const service = await start();
  const poison = `{"poison":"${tenant}\0"}`;
  const unknown = JSON.stringify({ ...call({ tenant }).event, type: 'portcullis.call.v9' });
  const batch = [
    busMessage(call({ tenant, clientId: 'before' })),
    { key: 'x', value: poison },
    { key: 'x', value: unknown },
    ...denials(5, { tenant }).map(busMessage),
  ];
  await service.bus.publish('portcullis.events', batch);
  await service.bus.publish('portcullis.events', batch);
  const letters = await database
    .schema<AuditTables>(AUDIT)
    .selectFrom('dead_letters')
    .selectAll()
    .orderBy('reason')
    .execute();
  expect(letters.map(({ reason }) => reason)).toEqual(['not JSON', 'unknown type "portcullis.call.v9"']);
  const { body } = await service.ask('/v1/agents', await service.token('security:read', { tenant }));
  expect(body.items.map((agent: { state: string }) => agent.state).sort()).toEqual(['Isolated', 'Normal']);
  const metrics = await (await fetch(`${service.managementUrl}/metrics`)).text();
  expect(metrics).toMatch(/portcullis_audit_messages_total\{result="dead"[^}]*\} 4/);
});

test('what others put on the feed is nobody’s standing, is counted, and is said rightly again', async () => {
  const tenant = newTenant();
  const service = await start();
  await service.say(denials(5, { tenant }));
  const agent = principalId(tenant, 'client-a');
  const key = `${tenant}/${agent}`;
  const forged = { tenant, agent, state: 'Normal', since: new Date().toISOString() };
  for (const value of [JSON.stringify(forged), '']) {
    await service.bus.publish('portcullis.standing', [{ key, value }]);
    // a topic that keeps the last message per key has the forged one only, until it is mended
    const standings = await until(async () => {
      const feed = await readFeed(service.bus, undefined, (message) => message.key === key && message.value !== value);
      await feed.stop();
      return feed.standings.length > 0 ? feed.standings : undefined;
    });
    expect(standings).toMatchObject([{ tenant, agent, state: 'Isolated' }]);
  }
  const metrics = await (await fetch(`${service.managementUrl}/metrics`)).text();
  for (const reason of ['unsigned', 'removed'])
    expect(metrics).toContain(
      `portcullis_containment_passed_over_total{topic="portcullis.standing",reason="${reason}",service="security-analytics"} 1`,
    );
  expect(metrics).toMatch(/portcullis_feed_age_seconds\{topic="portcullis.standing"[^}]*\} \d/);
});

test('the end of a drill takes its agents off the standing feed', async () => {
  const tenant = `drill-${nextNumber()}`;
  const service = await start();
  await service.say(denials(5, { tenant }));
  await service.say([admin('default', 'drill.removed', tenant)]);
  const feed = await readFeed(service.bus);
  expect(feed.standings.filter((one) => one.tenant === tenant)).toMatchObject([{ state: 'Normal' }]);
  const { body } = await service.ask('/v1/agents', await service.token('security:read', { tenant }));
  expect(body.items).toEqual([]);
});

test('a batch that cannot be stored is not said to be handled, and comes through when it is brought again', async () => {
  const tenant = newTenant();
  const service = await start();
  const batch = denials(5, { tenant });
  const db = database.schema<AuditTables>(AUDIT);
  await sql`alter table audit.agents rename to agents_gone`.execute(db);
  await expect(service.say(batch)).rejects.toBeDefined();
  await sql`alter table audit.agents_gone rename to agents`.execute(db);
  await service.say(batch);
  const { body } = await service.ask('/v1/agents', await service.token('security:read', { tenant }));
  expect(body.items).toMatchObject([{ state: 'Isolated', denials: 5 }]);
});

test('a service is alive on both ports, says on what it depends, and closes twice without harm', async () => {
  const service = await start();
  expect(await (await fetch(`${service.url}/healthz`)).json()).toEqual({ status: 'alive' });
  expect(await (await fetch(`${service.managementUrl}/readyz`)).json()).toEqual({
    status: 'ready',
    mode: 'EMBEDDED',
    checks: { events: 'ok', database: 'ok', announcements: 'ok', revocations: 'ok' },
    notes: {
      eventsLost: '0',
      standingFeed: expect.stringMatching(/^heard \d+ ms ago$/),
      revocationFeed: 'no heartbeat was heard',
    },
  });
  await service.close();
  await service.close();
  await expect(fetch(service.url)).rejects.toBeDefined();
});
