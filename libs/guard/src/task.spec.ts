import { Refusal } from '@portcullis/contract/refusals';
import { followingWith } from './following.fixture.js';
import { memoryHistory } from './history.memory.js';
import { noteMissing, takeNamed, takeShown, type LookUp } from './task.js';
import type { AnyTool } from './tool.js';

const START = 1_800_000_000_000;
const ids = (count: number, prefix = 'C') => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const named = { customersOf: ((input: { ids: string[] }) => input.ids) as AnyTool['customersOf'] };
const shown = { customersIn: ((output: { ids: string[] }) => output.ids) as AnyTool['customersIn'] };
const noLookUp: LookUp = () => Promise.reject(new Error('asked'));

function guard() {
  const history = memoryHistory(() => START);
  const settled = async (work: () => unknown) => {
    try {
      await work();
      return 'passed';
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  };
  /** what becomes of a call that names customers, and of one that shows them */
  const ways = {
    named: async (customers: string[], claims: object = {}, tool: Partial<AnyTool> = {}) => {
      const call = followingWith(claims, { ...named, ...tool });
      return { answer: await settled(() => takeNamed(call, { ids: customers }, noLookUp, { history })), call };
    },
    shown: async (customers: string[], claims: object = {}, tool: Partial<AnyTool> = {}) => {
      const call = followingWith(claims, { ...shown, ...tool });
      return { answer: await settled(() => takeShown(call, { ids: customers }, { history })), call };
    },
  };
  return { history, settled, ways };
}

describe.each(['named', 'shown'] as const)('customers that a call has %s', (way) => {
  test('are free within the budgets, and the same ones again', async () => {
    const { ways } = guard();
    for (let n = 0; n < 3; n++) expect((await ways[way](ids(10), { task: 't1' })).answer).toBe('passed');
  });

  test.each([
    ['a task', { task: 't1' }, 10, /10 in one task and 60 an hour/],
    ['an hour without a task', {}, 60, /distinct customers: 60 an hour/],
    ['a task of a client whose record says 3', { task: 't1', customers_per_task: 3 }, 3, /3 in one task/],
    ['an hour of a client whose record says 5', { customers_per_hour: 5 }, 5, /5 an hour/],
  ])('%s: beyond the budget is row_forbidden, a denial, and says so', async (_what, claims, budget, hint) => {
    const { ways } = guard();
    expect((await ways[way](ids(budget), claims)).answer).toBe('passed');
    const { answer, call } = await ways[way]([`C${budget}`], claims);
    expect(answer).toMatchObject({ code: 'row_forbidden', facts: { hint: expect.stringMatching(hint) } });
    expect(call.record.denial).toBe(true);
    expect((await ways[way](['C0'], claims)).answer).toBe('passed');
  });

  test('in a task that is bound, the one customer passes, as often as may be', async () => {
    const { ways } = guard();
    const bound = { task: 't1', task_customer_id: 'C1' };
    for (const customers of [['C1'], ['C1', 'C1'], []]) {
      const { answer, call } = await ways[way](customers, bound);
      expect([answer, call.record.denial]).toEqual(['passed', false]);
    }
  });

  test.each([[['C2']], [['C1', 'C2']], [['c1']]])(
    'in a task that is bound to C1, %j look as if they were not there',
    async (customers) => {
      const { ways, history } = guard();
      const { answer, call } = await ways[way](customers, { task: 't1', task_customer_id: 'C1' });
      expect(answer).toMatchObject({ code: 'row_forbidden', facts: {}, message: new Refusal('row_forbidden').message });
      expect((answer as Refusal).facts).toEqual({});
      expect(call.record.denial).toBe(true);
      expect(history.stats().customers).toBe(0);
    },
  );

  test('another tenant asks for the same ones, and has budgets of its own', async () => {
    const { ways } = guard();
    expect((await ways[way](ids(60))).answer).toBe('passed');
    expect((await ways[way](ids(60, 'D'), { tenant: 'other' })).answer).toBe('passed');
    expect((await ways[way](['D0'])).answer).toMatchObject({ code: 'row_forbidden' });
  });
});

test('customers named and customers shown draw on the same budget', async () => {
  const { ways } = guard();
  await ways.named(ids(6), { task: 't1' });
  expect((await ways.shown(ids(5, 'D'), { task: 't1' })).answer).toMatchObject({ code: 'row_forbidden' });
  expect((await ways.shown(ids(4, 'D'), { task: 't1' })).answer).toBe('passed');
});

test('another task has its own budget, and the hour holds them all', async () => {
  const { ways } = guard();
  for (let n = 0; n < 6; n++) {
    expect((await ways.named(ids(10, `T${n}-`), { task: `t${n}` })).answer).toBe('passed');
  }
  expect((await ways.named(['last'], { task: 't9' })).answer).toMatchObject({ code: 'row_forbidden' });
  expect((await ways.named(['last'], { task: 't9', sub: 'u1' })).answer).toBe('passed');
});

describe('a tool that does not say whose data it touches', () => {
  const mute = { customersOf: undefined, customersIn: undefined } as unknown as Partial<AnyTool>;
  test.each(['reads-pii', 'reads-untrusted', 'writes', 'destroys', 'sends-outside'] as const)(
    'and %s is not run in a task that is bound',
    async (effect) => {
      const { ways } = guard();
      const tool: Partial<AnyTool> = { ...mute, effects: [effect] };
      const { answer, call } = await ways.named([], { task: 't1', task_customer_id: 'C1' }, tool);
      expect([(answer as Refusal).code, call.record.denial]).toEqual(['row_forbidden', true]);
      expect((await ways.named([], { task: 't1' }, tool)).answer).toBe('passed');
    },
  );
  test('and has no effect, is', async () => {
    const { ways } = guard();
    const bound = { task: 't1', task_customer_id: 'C1' };
    expect((await ways.named([], bound, { ...mute, effects: ['none'] })).answer).toBe('passed');
  });
});

test('a tool that has to look up whose data it touches is asked through the look-up, any other is not', async () => {
  const { history, settled } = guard();
  const ofTickets = (async (_input: unknown, deps: { owner: string }) => [deps.owner]) as AnyTool['customersOf'];
  const lookUp: LookUp = async (customersOf) => customersOf({}, { owner: 'C2' } as never);
  const call = followingWith({ task: 't1', task_customer_id: 'C1' }, { customersOf: ofTickets! });
  expect(await settled(() => takeNamed(call, {}, lookUp, { history }))).toMatchObject({ code: 'row_forbidden' });
  const other = followingWith({ task: 't1', task_customer_id: 'C2' }, { customersOf: ofTickets! });
  expect(await settled(() => takeNamed(other, {}, lookUp, { history }))).toBe('passed');
});

test('what is named and is not there is refused as another customer’s is in a task that is bound, and is nobody’s elsewhere', async () => {
  const { history, settled, ways } = guard();
  const tool = { customersOf: ((_input: unknown) => ['C1', undefined]) as AnyTool['customersOf'] } as Partial<AnyTool>;
  const { answer, call } = await ways.named([], { task: 't1', task_customer_id: 'C1' }, tool);
  expect([answer, call.record.denial]).toMatchObject([{ code: 'row_forbidden', facts: {} }, true]);
  expect(history.stats().customers).toBe(0);
  const elsewhere = followingWith({ task: 't1' }, tool);
  const customers: unknown[] = [];
  expect(await settled(async () => customers.push(await takeNamed(elsewhere, {}, noLookUp, { history })))).toBe(
    'passed',
  );
  expect(customers).toEqual([['C1']]);
});

describe('a tool that names no customer and shows', () => {
  const bound = { task: 't1', task_customer_id: 'C1' };
  test.each(['reads-pii', 'reads-pii-in-bulk'] as const)('%s is not run in a task that is bound', async (effect) => {
    const { ways } = guard();
    const tool = { customersOf: undefined, ...shown, effects: [effect] } as unknown as Partial<AnyTool>;
    const { answer, call } = await ways.named([], bound, tool);
    expect([(answer as Refusal).code, call.record.denial]).toEqual(['row_forbidden', true]);
    expect((await ways.named([], { task: 't1' }, tool)).answer).toBe('passed');
  });

  test('one record is; that it is not there is a denial then, as another customer’s is', () => {
    const tool: Partial<AnyTool> = { ...shown, effects: ['reads-untrusted'] };
    for (const [claims, code, denial] of [
      [bound, 'row_forbidden', true],
      [bound, 'tool_failed', false],
      [{ task: 't1' }, 'row_forbidden', false],
    ] as const) {
      const call = followingWith(claims, tool);
      expect(takeNamed(call, {}, noLookUp, { history: guard().history })).toBeUndefined();
      noteMissing(call, new Refusal(code));
      expect(call.record.denial).toBe(denial);
    }
  });

  test('the bound customer by its name, which is not there, is no denial', () => {
    const call = followingWith(bound, named);
    noteMissing(call, new Refusal('row_forbidden'));
    expect(call.record.denial).toBe(false);
  });
});

test('a history that answers later is waited for', async () => {
  const { history, settled } = guard();
  const slow = {
    pastOf: async (...asked: Parameters<typeof history.pastOf>) => history.pastOf(...asked),
    take: async (...asked: Parameters<typeof history.take>) => history.take(...asked),
  };
  const call = followingWith({ task: 't1' }, shown);
  expect(await settled(() => takeShown(call, { ids: ids(11) }, { history: slow }))).toMatchObject({
    code: 'row_forbidden',
  });
});
