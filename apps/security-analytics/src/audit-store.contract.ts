import { principalId } from '@portcullis/contract/ids';
import { ALL_TENANTS, type AuditQuestions, type AuditStore, type Page } from './audit-store.js';
import { admin, call, denials, nextNumber, T0, uuid } from './events.fixture.js';
import { deadLetter } from './line.js';

export interface StoreUnderTest {
  readonly store: AuditStore;
  readonly questions: AuditQuestions;
  /** what lies in dead letters, newest last */
  deadLetters(): Promise<{ reason: string; line: string; length: number }[]>;
}

/** What every audit store does. Each test keeps to tenants of its own, so one store serves all. */
export function auditStoreContract(open: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  beforeAll(async () => {
    under = await open();
  }, 60_000);
  const newTenant = () => `t${nextNumber()}`;
  const all: Page = { limit: 100 };
  const decision = (to: 'Isolated' | 'Remediation' | 'Normal', at: number) =>
    ({ kind: 'person', at: T0 + at, to, by: 'ada', reason: 'because' }) as const;

  test('a batch that comes again changes nothing', async () => {
    const tenant = newTenant();
    const batch = denials(4, { tenant });
    expect(await under.store.take(batch, [])).toMatchObject({ added: 4, repeated: 0, transitions: 2 });
    const before = await under.questions.agents(tenant, {}, all);
    expect(await under.store.take(batch, [])).toMatchObject({ added: 0, repeated: 4, transitions: 0, deadLetters: 0 });
    expect(await under.store.take([...batch, ...batch], [])).toMatchObject({ added: 0, repeated: 8 });
    expect(await under.questions.agents(tenant, {}, all)).toEqual(before);
    expect((await under.questions.events(tenant, {}, all)).items).toHaveLength(4);
  });

  test('an event that stands twice in one batch counts once', async () => {
    const tenant = newTenant();
    const batch = denials(4, { tenant });
    expect(await under.store.take([...batch, ...batch], [])).toMatchObject({ added: 4, repeated: 4 });
    expect((await under.questions.agents(tenant, {}, all)).items[0]?.behaviour).toMatchObject({
      state: 'Suspicious',
      denials: 4,
    });
  });

  test('another event with an id that is taken is a dead letter, and the first one stays', async () => {
    const tenant = newTenant();
    const id = uuid(nextNumber());
    await under.store.take([call({ tenant, id, tool: 'first' })], []);
    const impostor = call({ tenant, id, tool: 'second', denial: true });
    expect(await under.store.take([impostor], [])).toMatchObject({ added: 0, deadLetters: 1 });
    expect((await under.questions.events(tenant, {}, all)).items).toMatchObject([{ data: { tool: 'first' } }]);
    expect((await under.deadLetters()).at(-1)).toMatchObject({
      reason: 'another event has this id',
      line: impostor.line,
    });
  });

  test('an event is read back exactly as it was said', async () => {
    const tenant = newTenant();
    const said = call({ tenant, clientId: "nul \0, quote ', lone \uD800, 😀" });
    await under.store.take([said], []);
    expect((await under.questions.events(tenant, {}, all)).items).toEqual([JSON.parse(said.line)]);
    expect((await under.questions.agents(tenant, {}, all)).items).toHaveLength(1);
  });

  test('five denials isolate over several batches, and the steps are kept', async () => {
    const tenant = newTenant();
    for (const one of denials(5, { tenant, sub: 'grace' })) await under.store.take([one], []);
    const agent = principalId(tenant, 'client-a', 'grace');
    const { items } = await under.questions.agents(tenant, {}, all);
    expect(items).toMatchObject([
      {
        tenant,
        agent,
        clientId: 'client-a',
        sub: 'grace',
        behaviour: { state: 'Isolated', since: T0 + 4000, denials: 5 },
      },
    ]);
    const steps = await under.questions.transitions(tenant, agent, 10);
    expect(steps.map(({ to, by }) => [to, by])).toEqual([
      ['Isolated', 'rule:five-denials'],
      ['Suspicious', 'rule:three-denials'],
      ['Monitoring', 'rule:first-denial'],
    ]);
    expect(await under.questions.transitions(tenant, agent, 1)).toHaveLength(1);
  });

  test('what came is in the store whole or not at all', async () => {
    const tenant = newTenant();
    const broken = { ...deadLetter('x', 'y'), hash: null as unknown as string };
    await expect(under.store.take(denials(5, { tenant }), [broken])).rejects.toBeDefined();
    expect((await under.questions.events(tenant, {}, all)).items).toEqual([]);
    expect((await under.questions.agents(tenant, {}, all)).items).toEqual([]);
  });

  test('a transition is unannounced in each place until it is marked there', async () => {
    const tenant = newTenant();
    await under.store.take(denials(3, { tenant }), []);
    const left = async (how: 'published' | 'recorded') =>
      (await under.store.unannounced(how, 1000)).filter((one) => one.tenant === tenant);
    const [first, second] = await left('published');
    expect([first, second]).toMatchObject([{ transition: { to: 'Monitoring' } }, { transition: { to: 'Suspicious' } }]);
    expect(await left('recorded')).toEqual([first, second]);
    await under.store.markAnnounced('published', [first!.position, second!.position]);
    expect(await left('published')).toEqual([]);
    await under.store.markAnnounced('recorded', [first!.position]);
    await under.store.markAnnounced('recorded', []);
    expect(await left('recorded')).toEqual([second]);
  });

  test('standings are those of every principal that is not Normal, or of the ones asked for', async () => {
    const tenant = newTenant();
    await under.store.take([...denials(5, { tenant }), call({ tenant, clientId: 'good' })], []);
    const bad = { tenant, agent: principalId(tenant, 'client-a'), clientId: 'client-a', sub: undefined };
    const good = { ...bad, agent: principalId(tenant, 'good'), clientId: 'good' };
    const isolated = { tenant, agent: bad.agent, state: 'Isolated', since: new Date(T0 + 4000).toISOString() };
    expect((await under.store.standings()).filter((one) => one.tenant === tenant)).toMatchObject([isolated]);
    const [before, after] = [await under.store.standings([bad]), await under.store.standings([bad])];
    expect(before[0]!.readAt).toBeGreaterThan(0);
    expect(after[0]!.readAt).toBeGreaterThanOrEqual(before[0]!.readAt);
    expect(await under.store.standings([good])).toMatchObject([{ agent: good.agent, state: 'Normal' }]);
    expect(await under.store.standings([])).toEqual([]);
  });

  test('a person moves an agent as the table lets them, and a refused move changes nothing', async () => {
    const tenant = newTenant();
    await under.store.take(denials(5, { tenant }), []);
    const agent = principalId(tenant, 'client-a');
    expect(await under.store.decide(tenant, agent, decision('Normal', 9000))).toEqual({
      kind: 'illegal',
      from: 'Isolated',
    });
    const moved = await under.store.decide(tenant, agent, decision('Remediation', 9000));
    expect(moved).toMatchObject({ kind: 'moved', agent: { behaviour: { state: 'Remediation', why: 'because' } } });
    expect(await under.store.decide(tenant, agent, decision('Remediation', 9000))).toMatchObject({ kind: 'illegal' });
    expect((await under.questions.transitions(tenant, agent, 1))[0]).toMatchObject({ to: 'Remediation', by: 'ada' });
    expect(await under.store.decide(tenant, principalId(tenant, 'nobody'), decision('Isolated', 0))).toEqual({
      kind: 'unknown',
    });
  });

  test('two persons who release at the same moment make one release', async () => {
    const tenant = newTenant();
    await under.store.take(denials(5, { tenant }), []);
    const agent = principalId(tenant, 'client-a');
    const both = await Promise.all([1, 2].map(() => under.store.decide(tenant, agent, decision('Remediation', 9000))));
    expect(both.map(({ kind }) => kind).sort()).toEqual(['illegal', 'moved']);
  });

  test('one tenant asks for each thing of another and gets what an unknown one gets', async () => {
    const [mine, theirs] = [newTenant(), newTenant()];
    const id = uuid(nextNumber());
    const correlationId = uuid(nextNumber());
    await under.store.take([call({ tenant: theirs, id, correlationId }), ...denials(5, { tenant: theirs })], []);
    await under.store.take([call({ tenant: mine, id, tool: 'mine' })], []);
    const their = principalId(theirs, 'client-a');
    expect(await under.questions.named(mine, their)).toEqual([]);
    expect((await under.questions.named(mine, 'client-a')).map(({ tenant }) => tenant)).toEqual([mine]);
    expect(await under.questions.transitions(mine, their, 10)).toEqual([]);
    expect(await under.store.decide(mine, their, decision('Remediation', 9000))).toEqual({ kind: 'unknown' });
    for (const filter of [{ agent: their }, { correlationId }, { outcome: 'scope_insufficient' }]) {
      expect((await under.questions.events(mine, filter, all)).items).toEqual([]);
    }
    // ids are a tenant's own: theirs did not take ours
    expect((await under.questions.events(mine, {}, all)).items).toMatchObject([{ id, data: { tool: 'mine' } }]);
    expect((await under.questions.agents(mine, {}, all)).items.map(({ tenant }) => tenant)).toEqual([mine]);
    const everybody = await under.questions.agents(
      ALL_TENANTS,
      {},
      {
        limit: 100,
        after: [mine < theirs ? mine : theirs, ''],
      },
    );
    expect(new Set(everybody.items.map(({ tenant }) => tenant)).size).toBeGreaterThan(1);
    expect((await under.questions.agents(mine, { clientId: 'client-a' }, all)).items).toHaveLength(1);
    expect(await under.questions.named(ALL_TENANTS, their)).toMatchObject([{ tenant: theirs }]);
  });

  test('pages cover every event once, newest first, also where times are equal', async () => {
    const tenant = newTenant();
    const said = Array.from({ length: 23 }, (_, n) => call({ tenant, at: Math.floor(n / 5) }));
    await under.store.take(said, []);
    const seen: { id: string; time: string }[] = [];
    let after: Page['after'];
    for (let pages = 0; pages < 5; pages++) {
      const page = await under.questions.events(tenant, {}, { limit: 5, after });
      seen.push(...(page.items as typeof seen));
      after = page.next;
      expect(page.items).toHaveLength(pages < 4 ? 5 : 3);
    }
    expect(after).toBeUndefined();
    expect(new Set(seen.map(({ id }) => id)).size).toBe(23);
    expect(seen).toEqual(seen.toSorted((a, b) => (a.time + a.id < b.time + b.id ? 1 : -1)));
  });

  test('pages cover every agent once, and a page that is just full is the last', async () => {
    const tenant = newTenant();
    await under.store.take(
      Array.from({ length: 6 }, (_, n) => call({ tenant, clientId: `c${n}` })),
      [],
    );
    const first = await under.questions.agents(tenant, {}, { limit: 3 });
    const second = await under.questions.agents(tenant, {}, { limit: 3, after: first.next });
    expect(new Set([...first.items, ...second.items].map(({ agent }) => agent)).size).toBe(6);
    expect(second.next).toBeUndefined();
  });

  test('events are found by each of their words, by client, and by time from since up to before until', async () => {
    const tenant = newTenant();
    const correlationId = uuid(nextNumber());
    const [a, b, c] = [
      call({ tenant, clientId: 'a', at: 0, tool: 'x' }),
      call({ tenant, clientId: 'b', at: 1000, denial: true }),
      call({ tenant, clientId: 'a', sub: 'grace', at: 2000, correlationId }),
    ];
    await under.store.take([a, b, c, admin(tenant, 'client.added', 'z')], []);
    const ids = async (filter: Parameters<AuditQuestions['events']>[1]) =>
      (await under.questions.events(tenant, { type: 'portcullis.call.v1', ...filter }, all)).items.map(
        (one) => (one as { id: string }).id,
      );
    const [ia, ib, ic] = [a, b, c].map(({ event }) => event.id);
    expect(await ids({})).toEqual([ic, ib, ia]);
    expect(await ids({ agent: principalId(tenant, 'a') })).toEqual([ia]);
    expect(await ids({ agent: 'a' })).toEqual([ic, ia]);
    expect(await ids({ tool: 'x' })).toEqual([ia]);
    expect(await ids({ outcome: 'scope_insufficient' })).toEqual([ib]);
    expect(await ids({ correlationId })).toEqual([ic]);
    const [from, to] = [new Date(T0 + 1000).toISOString(), new Date(T0 + 2000).toISOString()];
    expect(await ids({ since: from })).toEqual([ic, ib]);
    expect(await ids({ until: to })).toEqual([ib, ia]);
    expect(await ids({ since: from, until: to })).toEqual([ib]);
    const admins = await under.questions.events(tenant, { type: 'portcullis.admin.v1', outcome: 'client.added' }, all);
    expect(admins.items).toHaveLength(1);
  });

  test('a drill tenant that is over is forgotten; its events stay, and no other tenant can be removed so', async () => {
    const drill = `drill-${nextNumber()}`;
    const other = newTenant();
    await under.store.take([...denials(5, { tenant: drill }), call({ tenant: drill, clientId: 'good' })], []);
    await under.store.take(denials(5, { tenant: other }), []);
    const taken = await under.store.take(
      [admin('default', 'drill.removed', other), admin('default', 'drill.removed', drill)],
      [],
    );
    expect(taken.forgotten).toMatchObject([{ tenant: drill, clientId: 'client-a' }]);
    expect((await under.questions.agents(drill, {}, all)).items).toEqual([]);
    expect((await under.store.unannounced('recorded', 1000)).filter(({ tenant }) => tenant === drill)).toEqual([]);
    expect((await under.questions.events(drill, {}, all)).items).toHaveLength(6);
    expect((await under.questions.agents(other, {}, all)).items).toHaveLength(1);
  });

  test('dead letters are kept once each, whatever they hold', async () => {
    const nasty = deadLetter(`${nextNumber()} \0 \uDC00 ${'x'.repeat(10_000)}`, 'not JSON');
    await under.store.take([], [nasty, nasty]);
    await under.store.take([], [nasty]);
    const found = (await under.deadLetters()).filter(({ length }) => length === nasty.length);
    expect(found).toHaveLength(1);
    expect(found[0]!.line.length).toBeLessThan(5000);
  });
}
