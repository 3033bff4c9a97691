import {
  APPROVAL_MS,
  approvalId,
  argumentsHash,
  isApprovalId,
  KEPT_MS,
  OPEN_AT_MOST,
  shownArguments,
  statusOf,
  type ApprovalId,
  type ApprovalRecord,
  type Approvals,
  type AskedCall,
  type ConfirmApproval,
} from './approvals.js';

const yes: ConfirmApproval = async () => undefined;
const no: ConfirmApproval = async () => {
  throw new Error('not confirmed');
};

const START = Date.UTC(2026, 10, 20, 12);

/** What every variant of {@link Approvals} must do. `now` is the clock that the variant goes by. */
export function describeApprovals(name: string, open: (now: () => number) => Approvals | Promise<Approvals>): void {
  describe(`approvals: ${name}`, () => {
    const clock = { now: START };
    let approvals: Approvals;
    let runs = 0;
    let tenant = '';
    beforeAll(async () => {
      approvals = await open(() => clock.now);
    }, 60_000);
    beforeEach(() => {
      clock.now = START;
      tenant = `acme-${++runs}`;
    });

    const callOf = (args: unknown = { customer_id: '12345' }, more: Partial<AskedCall> = {}): AskedCall => {
      const shown = shownArguments(args);
      const hash = argumentsHash(shown);
      const who = { principal: 'agt_a', clientId: 'desktop', sub: 'sam', task: 'task-1' };
      return { ...who, tool: 'delete_customer', argumentsHash: hash, arguments: shown, needed: 1, ...more };
    };
    const asked = async (call = callOf(), of = tenant) => {
      const answer = await approvals.ask(of, call, yes);
      if ('crowdedForMs' in answer) throw new Error('crowded');
      return answer;
    };
    const idOf = async (call?: AskedCall) => (await asked(call)).record.id;
    const decide = (id: ApprovalId, who = 'rita', says = true, confirm = yes) =>
      approvals.decide(tenant, id, who, says, confirm);
    const spend = (id: ApprovalId, call = callOf(), confirm = yes) => approvals.spend(tenant, id, call, confirm);

    test('a record says what was asked, and lasts ten minutes', async () => {
      const { record, fresh } = await asked();
      expect(fresh).toBe(true);
      expect(isApprovalId(record.id)).toBe(true);
      expect(record).toEqual({
        ...callOf(),
        id: record.id,
        askedAt: START,
        expiresAt: START + 600_000,
        decisions: [],
        spentAt: undefined,
      });
      expect(await approvals.find(tenant, record.id)).toEqual(record);
      expect(await approvals.tenantOf(record.id)).toBe(tenant);
      expect(await approvals.tenantOf(approvalId(new Uint8Array(16)))).toBeUndefined();
    });

    test('what is not there stays undefined: no user, no task', async () => {
      const call = callOf({}, { sub: undefined, task: undefined });
      const { record } = await asked(call);
      expect(await approvals.find(tenant, record.id)).toMatchObject({ sub: undefined, task: undefined });
      expect((await asked(call)).record.id).toBe(record.id);
      await decide(record.id);
      expect(await spend(record.id, call)).toBe('spent');
    });

    test('the same call asked again is the same record, also at the same moment', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, () => asked()));
      expect(new Set(all.map(({ record }) => record.id)).size).toBe(1);
      expect(all.filter(({ fresh }) => fresh)).toHaveLength(1);
    });

    test.each([
      ['arguments', callOf({ customer_id: '67890' })],
      ['tool', callOf(undefined, { tool: 'delete_records' })],
      ['task', callOf(undefined, { task: 'task-2' })],
      ['task, the rolling hour', callOf(undefined, { task: undefined })],
      ['principal', callOf(undefined, { principal: 'agt_b' })],
    ])('a call with another %s is another record', async (_, other) => {
      expect(await idOf(other)).not.toBe(await idOf());
    });

    test('arguments in another order are the same', async () => {
      expect(await idOf(callOf({ b: 1, a: [{ d: 2, c: 3 }] }))).toBe(await idOf(callOf({ a: [{ c: 3, d: 2 }], b: 1 })));
    });

    test('a principal has five open at most, also when it asks for all at once; others are not in its way', async () => {
      const call = (n: number) => callOf({ n });
      const all = await Promise.all(Array.from({ length: 9 }, (_, n) => approvals.ask(tenant, call(n), yes)));
      expect(OPEN_AT_MOST).toBe(5);
      expect(all.filter((each) => 'record' in each)).toHaveLength(5);
      clock.now = START + 60_000;
      expect(await approvals.ask(tenant, call(10), yes)).toEqual({ crowdedForMs: 540_000 });
      expect(await approvals.ask(tenant, callOf({}, { principal: 'agt_b' }), yes)).toHaveProperty('fresh', true);
      clock.now = START + APPROVAL_MS;
      expect(await approvals.ask(tenant, call(10), yes)).toHaveProperty('fresh', true);
    });

    test('what was used makes room, and what was refused does not', async () => {
      const ids: ApprovalId[] = [];
      for (const n of [1, 2, 3, 4, 5]) ids.push(await idOf(callOf({ n })));
      await decide(ids[0]!, 'rita', false);
      expect(await approvals.ask(tenant, callOf({ n: 6 }), yes)).toHaveProperty('crowdedForMs');
      await decide(ids[1]!);
      await spend(ids[1]!, callOf({ n: 2 }));
      expect(await approvals.ask(tenant, callOf({ n: 6 }), yes)).toHaveProperty('fresh', true);
    });

    test('an approved call is spent once, of many at once', async () => {
      const id = await idOf();
      expect(await decide(id)).toBe('counted');
      clock.now = START + 1000;
      const all = await Promise.all(Array.from({ length: 8 }, () => spend(id)));
      expect(all.filter((each) => each === 'spent')).toHaveLength(1);
      expect(all.filter((each) => each === 'used')).toHaveLength(7);
      const record = await approvals.find(tenant, id);
      expect(record).toMatchObject({ spentAt: START + 1000, decisions: [{ by: 'rita', at: START, yes: true }] });
      expect((await asked()).fresh).toBe(true);
    });

    test('nobody spends what waits, what was refused, or what has expired', async () => {
      const id = await idOf();
      expect(await spend(id)).toBe('waiting');
      const refused = callOf({ n: 1 });
      const refusedId = await idOf(refused);
      expect(await decide(refusedId, 'rita', false)).toBe('counted');
      expect(await spend(refusedId, refused)).toBe('refused');
      expect(await asked(refused)).toMatchObject({ fresh: false, record: { id: refusedId } });
      await decide(id);
      clock.now = START + APPROVAL_MS;
      expect(await spend(id)).toBe('expired');
      expect(statusOf((await approvals.find(tenant, id))!, clock.now)).toBe('expired');
    });

    test.each([
      ['other arguments', callOf({ customer_id: '67890' }), 'other_arguments'],
      ['another tool', callOf(undefined, { tool: 'delete_records' }), 'other_arguments'],
      ['another task', callOf(undefined, { task: 'task-2' }), 'other_task'],
      ['no task', callOf(undefined, { task: undefined }), 'other_task'],
      ['another principal', callOf(undefined, { principal: 'agt_b' }), 'unknown'],
    ])('an approval is not good for %s, and stays good for its own call', async (_, other, outcome) => {
      const id = await idOf();
      await decide(id);
      expect(await spend(id, other)).toBe(outcome);
      expect(await spend(id)).toBe('spent');
    });

    test('another principal learns nothing of a record, used or not', async () => {
      const id = await idOf();
      await decide(id);
      await spend(id);
      expect(await spend(id, callOf(undefined, { principal: 'agt_b' }))).toBe('unknown');
      expect(await spend(approvalId(new Uint8Array(16)))).toBe('unknown');
    });

    test('nobody approves a call that is made in their own name', async () => {
      const id = await idOf();
      expect(await decide(id, 'sam')).toBe('own_call');
      expect(await spend(id)).toBe('waiting');
    });

    test('where two are needed, they are two different people', async () => {
      const call = callOf(undefined, { needed: 2 });
      const id = await idOf(call);
      const both = await Promise.all([decide(id, 'rita'), decide(id, 'rita')]);
      expect(both.sort()).toEqual(['counted', 'decided_before']);
      expect(await spend(id, call)).toBe('waiting');
      expect(await decide(id, 'ron')).toBe('counted');
      expect(await decide(id, 'ruth')).toBe('closed');
      expect(await spend(id, call)).toBe('spent');
      expect(await decide(id, 'ruth')).toBe('closed');
    });

    test('one no ends it, whoever has said yes and whoever would', async () => {
      const call = callOf(undefined, { needed: 2 });
      const id = await idOf(call);
      await decide(id, 'rita');
      expect(await decide(id, 'ron', false)).toBe('counted');
      expect(await decide(id, 'ruth')).toBe('closed');
      expect(await spend(id, call)).toBe('refused');
    });

    test('people who decide at the same moment are counted one after the other', async () => {
      const id = await idOf();
      const all = await Promise.all(['a', 'b', 'c', 'd'].map((who) => decide(id, who)));
      expect(all.filter((each) => each === 'counted')).toHaveLength(1);
      expect((await approvals.find(tenant, id))?.decisions).toHaveLength(1);
    });

    test('what has expired can be decided no more than what never was', async () => {
      const id = await idOf();
      clock.now = START + APPROVAL_MS;
      expect(await decide(id)).toBe('unknown');
      expect(await decide(approvalId(new Uint8Array(16)))).toBe('unknown');
    });

    test('for another tenant there is no such record, for finding, deciding and spending', async () => {
      const id = await idOf();
      const other = `${tenant}-other`;
      await asked(callOf({ n: 1 }), other);
      expect(await approvals.find(other, id)).toBeUndefined();
      expect(await approvals.decide(other, id, 'rita', true, yes)).toBe('unknown');
      await decide(id);
      expect(await approvals.spend(other, id, callOf(), yes)).toBe('unknown');
      expect((await asked(callOf(), other)).record.id).not.toBe(id);
      expect(await spend(id)).toBe('spent');
    });

    test('arguments are kept as they are, whatever is in them', async () => {
      const args = { text: `'; drop table tools.approvals; -- \u0000-less \u{e0041} \u202e "quoted" \\ \n` };
      const { record } = await asked(callOf(args));
      expect(JSON.parse((await approvals.find(tenant, record.id))!.arguments)).toEqual(args);
    });

    test('what is not confirmed has not happened', async () => {
      await expect(approvals.ask(tenant, callOf({ n: 1 }), no)).rejects.toThrow('not confirmed');
      expect((await asked(callOf({ n: 1 }))).fresh).toBe(true);
      const id = await idOf();
      await expect(decide(id, 'rita', true, no)).rejects.toThrow('not confirmed');
      expect((await approvals.find(tenant, id))?.decisions).toEqual([]);
      expect(await decide(id)).toBe('counted');
      await expect(spend(id, callOf(), no)).rejects.toThrow('not confirmed');
      expect(await spend(id)).toBe('spent');
    });

    test('only what changes is confirmed, and with the record as it will be', async () => {
      const told: unknown[] = [];
      const tell = async (record: ApprovalRecord): Promise<void> => {
        told.push([record.id, record.decisions.length, record.spentAt]);
      };
      for (let n = 0; n < 2; n += 1) await approvals.ask(tenant, callOf(), tell);
      const id = await idOf();
      await spend(id, callOf(), tell);
      for (let n = 0; n < 2; n += 1) await decide(id, 'rita', true, tell);
      for (let n = 0; n < 2; n += 1) await spend(id, callOf(), tell);
      expect(told).toEqual([
        [id, 0, undefined],
        [id, 1, undefined],
        [id, 1, START],
      ]);
    });

    test('records are forgotten a day after they expired', async () => {
      const id = await idOf();
      clock.now = START + APPROVAL_MS + KEPT_MS - 1;
      await approvals.sweep();
      expect(await approvals.find(tenant, id)).toBeDefined();
      clock.now += 1;
      expect(await approvals.sweep()).toBeGreaterThan(0);
      expect(await approvals.find(tenant, id)).toBeUndefined();
    });
  });
}
