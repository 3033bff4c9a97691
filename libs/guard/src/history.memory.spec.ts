import { principalId } from '@portcullis/contract/ids';
import { HISTORY_BOUNDS, HOUR_MS } from './history.js';
import { describeHistory } from './history.contract.js';
import { memoryHistory } from './history.memory.js';

describeHistory('in memory', memoryHistory);

const BUDGETS = { perTask: 10, perHour: 60 };
const START = 1_800_000_000_000;

test('what is over is forgotten, and counted no more', () => {
  let now = START;
  const history = memoryHistory(() => now);
  for (let n = 0; n < 500; n++) {
    const who = { principal: principalId('acme', `c${n % 50}`), task: n % 3 === 0 ? undefined : `t${n % 70}` };
    history.take('acme', who, { customers: [`C${n % 9}`, `D${n % 7}`], tool: 'export_data' }, BUDGETS);
    history.pastOf('acme', who);
    now += 7_000;
  }
  const { principals, tasks, customers } = history.stats();
  expect(principals).toBe(50);
  expect(tasks).toBeGreaterThan(0);
  expect(customers).toBeGreaterThan(principals);
  now += HOUR_MS;
  history.take('acme', { principal: principalId('acme', 'last'), task: undefined }, { customers: ['C'] }, BUDGETS);
  expect(history.stats()).toEqual({ principals: 1, tasks: 0, customers: 1 });
});

test('a clock that steps back forgets nothing and lengthens nothing', () => {
  let now = START;
  const history = memoryHistory(() => now);
  const who = { principal: principalId('acme', 'a'), task: undefined };
  history.take('acme', who, { labels: ['hostile'] }, BUDGETS);
  now -= 24 * HOUR_MS;
  expect(history.pastOf('acme', who).principal.labels.size).toBe(1);
  now += HOUR_MS;
  expect(history.pastOf('acme', who).principal.labels.size).toBe(0);
});

test('a principal can have as many tasks as it can ask for in the time that a task stays idle', () => {
  expect(HISTORY_BOUNDS).toMatchObject({ tasksPerPrincipal: 30 * 60, principals: 50_000 });
});

test('all tenants together have a bound', () => {
  const bounds = { ...HISTORY_BOUNDS, principals: 6 };
  const history = memoryHistory(() => START, bounds);
  const begin = (tenant: string, client: string) =>
    history.take(tenant, { principal: principalId(tenant, client), task: undefined }, { tool: 'export_data' }, BUDGETS);
  for (const tenant of ['acme', 'other']) for (const client of ['a', 'b', 'c']) begin(tenant, client);
  expect(() => begin('third', 'a')).toThrow(expect.objectContaining({ code: 'overloaded' }));
});
