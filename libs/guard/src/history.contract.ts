import { principalId } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import {
  HOUR_MS,
  TASK_IDLE_MS,
  TASK_LIFE_MS,
  type CustomerBudgets,
  type History,
  type HistoryBounds,
  type Mark,
} from './history.js';

const START = 1_800_000_000_000;
const MINUTE = 60_000;
const WIDE: HistoryBounds = { principals: 100, tasks: 100, tasksPerPrincipal: 100, customers: 1000 };
const ids = (count: number, prefix = 'C') => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

interface Words {
  readonly tenant?: string;
  readonly client?: string;
  /** null = no task */
  readonly task?: string | null;
  readonly budgets?: CustomerBudgets;
}

/** What every variant of {@link History} must do. `now` is the clock that the variant goes by. */
export function describeHistory(
  name: string,
  open: (now: () => number, bounds: HistoryBounds) => History | Promise<History>,
): void {
  describe(`history: ${name}`, () => {
    const started = async (bounds: Partial<HistoryBounds> = {}) => {
      const clock = { now: START };
      const history = await open(() => clock.now, { ...WIDE, ...bounds });
      const doer = ({ tenant = 'acme', client = 'a', task = 't1' }: Words) =>
        [tenant, { principal: principalId(tenant, client), task: task ?? undefined }] as const;
      return {
        clock,
        take: async (mark: Mark, words: Words = {}) =>
          history.take(...doer(words), mark, words.budgets ?? { perTask: 10, perHour: 60 }),
        past: async (words: Words = {}) => {
          const { task, principal } = await history.pastOf(...doer(words));
          const shown = ({ began, labels }: typeof task) => [[...began.keys()].sort(), [...labels.keys()]];
          return { task: shown(task), principal: shown(principal) };
        },
        pastOf: async (words: Words = {}) => history.pastOf(...doer(words)),
      };
    };
    const NOTHING = [[], []];

    test('who did nothing has no past, and asking makes none', async () => {
      const { past } = await started({ principals: 2 });
      for (const client of ids(5)) expect(await past({ client })).toEqual({ task: NOTHING, principal: NOTHING });
    });

    test('tools and labels are kept for the task and for the principal, with when they were last', async () => {
      const { clock, take, pastOf } = await started();
      await take({ tool: 'export_data' });
      clock.now += MINUTE;
      await take({ tool: 'export_data', labels: ['hostile'] });
      const { task, principal } = await pastOf();
      for (const trail of [task, principal]) {
        expect([...trail.began]).toEqual([['export_data', START + MINUTE]]);
        expect([...trail.labels]).toEqual([['hostile', START + MINUTE]]);
      }
    });

    test('another task of the same principal has its own past and shares the principal’s', async () => {
      const { take, past } = await started();
      await take({ tool: 'export_data', labels: ['hostile'] });
      const shared = [['export_data'], ['hostile']];
      expect(await past({ task: 't2' })).toEqual({ task: NOTHING, principal: shared });
      expect(await past({ task: null })).toEqual({ task: NOTHING, principal: shared });
      expect(await past({ client: 'b' })).toEqual({ task: NOTHING, principal: NOTHING });
    });

    test('another tenant asks for the same names and finds what an unknown one finds', async () => {
      const { take, past } = await started();
      await take({ tool: 'export_data', labels: ['hostile'], customers: ids(10) });
      expect(await past({ tenant: 'other' })).toEqual({ task: NOTHING, principal: NOTHING });
      expect(await take({ customers: ids(10, 'D') }, { tenant: 'other' })).toBe('taken');
      expect(await take({ customers: ['D0'] })).toBe('over_budget');
    });

    test('a principal’s past goes back an hour, whatever was asked meanwhile', async () => {
      const { clock, take, past } = await started();
      await take({ tool: 'export_data', labels: ['hostile'] }, { task: null });
      clock.now += HOUR_MS - 1;
      expect((await past({ task: null })).principal).toEqual([['export_data'], ['hostile']]);
      await take({ customers: ['C1'] }, { task: null });
      clock.now += 1;
      expect((await past({ task: null })).principal).toEqual(NOTHING);
    });

    test('a task is over after 30 idle minutes; being asked keeps it awake', async () => {
      const { clock, take, past } = await started();
      await take({ tool: 'export_data', customers: ids(10) });
      for (let n = 0; n < 4; n++) {
        clock.now += TASK_IDLE_MS - 1;
        expect((await past()).task).toEqual([['export_data'], []]);
      }
      expect(await take({ customers: ['D0'] })).toBe('over_budget');
      clock.now += TASK_IDLE_MS;
      expect((await past()).task).toEqual(NOTHING);
      expect(await take({ customers: ids(10, 'D') })).toBe('taken');
      expect((await past()).task).toEqual(NOTHING);
    });

    test('a task is over after 8 hours, however busy it is', async () => {
      const { clock, take, past } = await started();
      await take({ tool: 'export_data' });
      await take({ tool: 'export_data' }, { task: 't2' });
      while (clock.now < START + TASK_LIFE_MS - MINUTE) {
        expect((await past()).task).toEqual([['export_data'], []]);
        await take({ customers: ['C1'] });
        clock.now += 20 * MINUTE;
      }
      clock.now = START + TASK_LIFE_MS;
      expect((await past()).task).toEqual(NOTHING);
      await take({ labels: ['hostile'] });
      expect((await past()).task).toEqual([[], ['hostile']]);
    });

    test('so many distinct customers a task and no more; the same ones again cost nothing', async () => {
      const { take } = await started();
      expect(await take({ customers: ids(9) })).toBe('taken');
      expect(await take({ customers: ids(9) })).toBe('taken');
      expect(await take({ customers: ['C9', 'C9', 'C9'] })).toBe('taken');
      expect(await take({ customers: ['C10'] })).toBe('over_budget');
      expect(await take({ customers: ids(10) })).toBe('taken');
      expect(await take({ customers: ['C10'] }, { task: 't2' })).toBe('taken');
    });

    test('without a task the hour’s budget alone counts', async () => {
      const { take } = await started();
      expect(await take({ customers: ids(60) }, { task: null })).toBe('taken');
      expect(await take({ customers: ['C60'] }, { task: null })).toBe('over_budget');
    });

    test('so many distinct customers an hour, over all tasks; each counts for an hour after it was last touched', async () => {
      const { clock, take } = await started();
      const budgets = { perTask: 10, perHour: 3 };
      const touch = (customer: string, task: string) => take({ customers: [customer] }, { task, budgets });
      for (const [n, customer] of ids(3).entries()) {
        expect(await touch(customer, `t${n}`)).toBe('taken');
        clock.now += MINUTE;
      }
      expect(await touch('C3', 't9')).toBe('over_budget');
      expect(await touch('C0', 't9')).toBe('taken');
      clock.now = START + MINUTE + HOUR_MS;
      expect(await touch('C3', 't9')).toBe('taken');
      expect(await touch('C1', 't9')).toBe('over_budget');
      expect(await touch('C0', 't9')).toBe('taken');
    });

    test('over budget takes nothing: no customer, no tool, no label', async () => {
      const { take, past } = await started();
      expect(await take({ customers: ids(11), tool: 'export_data', labels: ['hostile'] })).toBe('over_budget');
      expect(await past()).toEqual({ task: NOTHING, principal: NOTHING });
      expect(await take({ customers: ids(10, 'D') })).toBe('taken');
    });

    test('of many customers at once the budget lets exactly so many in', async () => {
      const { take } = await started();
      const all = await Promise.all(ids(40).map((customer) => take({ customers: [customer] })));
      expect(all.filter((each) => each === 'taken')).toHaveLength(10);
    });

    test('the budgets are those of the call, wider or narrower', async () => {
      const { take } = await started();
      expect(await take({ customers: ids(50) }, { budgets: { perTask: 50, perHour: 100 } })).toBe('taken');
      expect(await take({ customers: ['D0'] })).toBe('over_budget');
      const narrow = { budgets: { perTask: 1, perHour: 1 } };
      expect(await take({ customers: ['C0', 'D0'] }, narrow)).toBe('over_budget');
      expect(await take({ customers: ['C0'], labels: ['hostile'] }, narrow)).toBe('taken');
    });

    test('long ids that differ in their last letter are two', async () => {
      const { take } = await started();
      const budgets = { perTask: 2, perHour: 2 };
      const long = 'x'.repeat(500);
      expect(await take({ customers: [`${long}a`, `${long}b`] }, { budgets })).toBe('taken');
      expect(await take({ customers: [`${long}a`] }, { budgets })).toBe('taken');
      expect(await take({ customers: [`${long}c`] }, { budgets })).toBe('over_budget');
    });

    describe('when no more can be kept', () => {
      const isOverloaded = expect.objectContaining({ code: 'overloaded' });
      const refusalOf = (work: Promise<unknown>) =>
        work.then(
          () => undefined,
          (error: unknown) => (error instanceof Refusal ? error : undefined),
        );

      test.each<[string, Partial<HistoryBounds>, (n: number) => [Mark, Words]]>([
        ['principals', { principals: 6 }, (n) => [{ tool: 'export_data' }, { client: `c${n}`, task: null }]],
        ['tasks', { tasks: 6 }, (n) => [{ tool: 'export_data' }, { task: `t${n}` }]],
        ['tasks of one principal', { tasksPerPrincipal: 3 }, (n) => [{ labels: ['hostile'] }, { task: `t${n}` }]],
        ['customers', { customers: 6 }, (n) => [{ customers: [`C${n}`] }, { task: null }]],
      ])('%s: the next is refused, nothing is forgotten for it, and time makes room', async (_what, bounds, wish) => {
        const { clock, take } = await started(bounds);
        for (let n = 0; n < 3; n++) expect(await take(...wish(n))).toBe('taken');
        expect(await refusalOf(take(...wish(3)))).toEqual(isOverloaded);
        expect(await take(...wish(0))).toBe('taken');
        expect(await refusalOf(take(...wish(3)))).toEqual(isOverloaded);
        clock.now += HOUR_MS;
        for (let n = 3; n < 6; n++) expect(await take(...wish(n))).toBe('taken');
      });

      test('one tenant gets half at most, so none locks the others out', async () => {
        const { take } = await started({ principals: 6 });
        const begin = (client: string, tenant: string) => take({ tool: 'export_data' }, { client, tenant });
        for (const client of ids(3)) await begin(client, 'acme');
        expect(await refusalOf(begin('more', 'acme'))).toEqual(isOverloaded);
        for (const client of ids(3)) expect(await begin(client, 'other')).toBe('taken');
      });

      test('a refused mark leaves nothing behind', async () => {
        const { take, past } = await started({ tasksPerPrincipal: 1 });
        await take({ customers: ['C0'] });
        await refusalOf(take({ labels: ['hostile'] }, { task: 't2' }));
        expect((await past()).principal).toEqual(NOTHING);
      });
    });
  });
}
