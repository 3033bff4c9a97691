import { Refusal } from '@portcullis/contract/refusals';
import { chainTable, expectStillUnchained, expectUnchained, noteBegun } from './chain.js';
import { CHAIN_RULES, FORBIDDEN_BY_LABEL } from './chain.table.js';
import { followingWith } from './following.fixture.js';
import { HOUR_MS, LABELS, TASK_LIFE_MS, type Label } from './history.js';
import { memoryHistory } from './history.memory.js';
import type { AnyTool } from './tool.js';

const MINUTE = 60_000;

function day() {
  const clock = { now: 1_800_000_000_000 };
  const ports = { history: memoryHistory(() => clock.now), now: () => clock.now };
  const call = (name: string, claims: object = {}, tool: Partial<AnyTool> = {}) =>
    followingWith(claims, { name, ...tool });
  const refusalOf = async (following: ReturnType<typeof call>, with_ = ports) => {
    try {
      await expectUnchained(following, with_);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  };
  const label = (found: Label, claims: object = {}) => {
    const { caller } = followingWith(claims);
    return ports.history.take(caller.tenant, caller, { labels: [found] }, { perTask: 1, perHour: 1 });
  };
  return {
    clock,
    ports,
    call,
    refusalOf,
    label,
    begin: (name: string, claims: object = {}) => noteBegun(call(name, claims), ports),
  };
}

test('the mission’s pairs are in the table, and each rule says why', () => {
  expect(CHAIN_RULES.map(({ first, then }) => [first, then])).toEqual([
    ['read_all_customers', 'send_bulk_email'],
    ['export_data', 'delete_records'],
    ['export_data', 'send_bulk_email'],
    ['export_data', 'delete_customer'],
  ]);
  expect(new Set(CHAIN_RULES.map(({ name }) => name)).size).toBe(CHAIN_RULES.length);
  for (const { since } of CHAIN_RULES) expect(since).toMatch(/\w/);
});

test('no rule looks back further than history goes', () => {
  for (const { inTaskMs, byPrincipalMs } of CHAIN_RULES) {
    expect(inTaskMs).toBeLessThanOrEqual(TASK_LIFE_MS);
    expect(byPrincipalMs).toBeLessThanOrEqual(HOUR_MS);
  }
});

describe.each(CHAIN_RULES.map(({ name, first, then }) => [name, first, then] as const))('%s', (name, first, then) => {
  test('the second after the first is refused as a denial, in words an agent can use, and the rule is for us', async () => {
    const { call, refusalOf, begin } = day();
    await begin(first);
    const following = call(then);
    const refusal = await refusalOf(following);
    expect(refusal).toMatchObject({ code: 'chain_forbidden', detail: `rule ${name}` });
    expect(refusal?.facts.hint).toContain(`${then} may not follow ${first}`);
    expect(refusal?.facts.hint).not.toContain(name);
    expect(following.record.denial).toBe(true);
  });

  test('the first after the second, and either by itself, is let through', async () => {
    const { call, refusalOf, begin } = day();
    for (const tool of [then, first]) {
      const following = call(tool);
      expect(await refusalOf(following)).toBeUndefined();
      expect(following.record.denial).toBe(false);
      await begin(tool);
    }
  });

  test('in a task it holds as long as the task does', async () => {
    const { clock, call, refusalOf, begin } = day();
    await begin(first, { task: 't1' });
    for (let n = 0; n < 10; n++) {
      clock.now += 20 * MINUTE;
      expect((await refusalOf(call(then, { task: 't1' })))?.code).toBe('chain_forbidden');
    }
    expect(await refusalOf(call(then, { task: 't2' }))).toBeUndefined();
    clock.now += 30 * MINUTE;
    expect(await refusalOf(call(then, { task: 't1' }))).toBeUndefined();
  });

  test('a token with another task, or with none, launders nothing for an hour', async () => {
    const { clock, call, refusalOf, begin } = day();
    await begin(first, { task: 't1' });
    clock.now += HOUR_MS - 1;
    for (const claims of [{ task: 't2' }, {}])
      expect((await refusalOf(call(then, claims)))?.code).toBe('chain_forbidden');
    clock.now += 1;
    for (const claims of [{ task: 't2' }, {}]) expect(await refusalOf(call(then, claims))).toBeUndefined();
  });

  test('another principal and another tenant are not held to it', async () => {
    const { call, refusalOf, begin } = day();
    await begin(first);
    for (const claims of [{ sub: 'u1' }, { client_id: 'd', sub: 'd' }, { tenant: 'other' }]) {
      expect(await refusalOf(call(then, claims))).toBeUndefined();
    }
  });
});

test('only tools that forbid others are remembered', async () => {
  const { ports, begin } = day();
  await begin('get_customer_info');
  expect(ports.history.stats().principals).toBe(0);
});

test('other rules may be given instead', async () => {
  const { ports, call, refusalOf } = day();
  const [rule] = CHAIN_RULES;
  const chain = chainTable([{ ...rule!, first: 'a', then: 'b', inTaskMs: 0, byPrincipalMs: MINUTE }]);
  const own = { ...ports, chain };
  await noteBegun(call('a'), own);
  expect((await refusalOf(call('b'), own))?.code).toBe('chain_forbidden');
  await noteBegun(call('read_all_customers'), own);
  expect(await refusalOf(call('send_bulk_email'), own)).toBeUndefined();
});

describe.each(LABELS)('a task that carries %s', (found) => {
  const effects = [
    'reads-pii',
    'reads-pii-in-bulk',
    'reads-untrusted',
    'writes',
    'destroys',
    'sends-outside',
    'none',
  ] as const;
  test.each(effects)('runs a tool whose effect is %s as the table says', async (effect) => {
    const { call, refusalOf, label } = day();
    label(found, { task: 't1' });
    const forbidden = FORBIDDEN_BY_LABEL[found].includes(effect);
    for (const claims of [{ task: 't1' }, { task: 't2' }, {}]) {
      const following = call('a_tool', claims, { effects: ['reads-pii', effect] });
      const refusal = await refusalOf(following);
      expect([refusal?.code, following.record.denial]).toEqual(
        forbidden ? ['chain_forbidden', true] : [undefined, false],
      );
      if (forbidden) {
        expect(refusal?.facts.hint).toMatch(/hidden from people.*a_tool/);
        expect(refusal?.detail).toBe(`label ${found} forbids ${effect}`);
      }
    }
    expect(await refusalOf(call('a_tool', { sub: 'u1' }, { effects: [effect] }))).toBeUndefined();
  });
});

test('what leaves and what destroys is forbidden once something hostile was read', () => {
  expect(FORBIDDEN_BY_LABEL).toEqual({ hostile: ['sends-outside', 'destroys'] });
});

describe('asked again immediately before a call is executed', () => {
  test('what began meanwhile forbids it, as a denial, also where the history answers later', async () => {
    const { ports, call, begin } = day();
    const history = {
      pastOf: async (...asked: Parameters<typeof ports.history.pastOf>) => ports.history.pastOf(...asked),
      take: ports.history.take.bind(ports.history),
    };
    const following = call('delete_records');
    expect(expectStillUnchained(following, ports)).toBeUndefined();
    await begin('export_data');
    expect(() => expectStillUnchained(following, ports)).toThrow(Refusal);
    expect(following.record.denial).toBe(true);
    await expect(expectStillUnchained(call('delete_records'), { ...ports, history })).rejects.toMatchObject({
      code: 'chain_forbidden',
    });
  });

  test('a label that came meanwhile forbids it', () => {
    const { ports, call, label } = day();
    label('hostile');
    expect(() => expectStillUnchained(call('a_tool', {}, { effects: ['destroys'] }), ports)).toThrow(Refusal);
  });

  test('a tool that nothing forbids is not asked for', () => {
    const { ports, call } = day();
    const history = {
      pastOf: () => {
        throw new Error('asked');
      },
    };
    const own = { ...ports, history } as never;
    expect(expectStillUnchained(call('a_tool', {}, { effects: ['reads-pii'] }), own)).toBeUndefined();
    expect(() => expectStillUnchained(call('a_tool', {}, { effects: ['destroys'] }), own)).toThrow('asked');
  });

  test('its own beginning does not forbid it', async () => {
    const { ports, call, refusalOf } = day();
    const [rule] = CHAIN_RULES;
    const own = { ...ports, chain: chainTable([{ ...rule!, first: 'a', then: 'a' }]) };
    await noteBegun(call('a'), own);
    expect(expectStillUnchained(call('a'), own)).toBeUndefined();
    expect((await refusalOf(call('a'), own))?.code).toBe('chain_forbidden');
  });
});

test('a history that answers later is waited for', async () => {
  const { ports, call, refusalOf, begin } = day();
  await begin('export_data');
  const history = {
    pastOf: async (...asked: Parameters<typeof ports.history.pastOf>) => ports.history.pastOf(...asked),
    take: async (...asked: Parameters<typeof ports.history.take>) => ports.history.take(...asked),
  };
  expect((await refusalOf(call('delete_records'), { ...ports, history } as never))?.code).toBe('chain_forbidden');
});
