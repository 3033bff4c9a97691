import { budgetProblem, narrowsClient, type ClientChange, type GrantType } from './clients.js';

const plain = { scopes: ['customer:read', 'ticket:read'] } as const;
const wide = { ...plain, customersPerTask: 100, customersPerHour: 500 };

test.each<[string, typeof plain | typeof wide, ClientChange, boolean]>([
  ['fewer scopes', plain, { scopes: ['customer:read'] }, true],
  ['more scopes', plain, { scopes: ['customer:read', 'ticket:read', 'ticket:create'] }, false],
  ['fewer customers a task than any client has', plain, { customersPerTask: 9 }, true],
  ['as many as any client has', plain, { customersPerTask: 10, customersPerHour: 60 }, false],
  ['fewer customers an hour than it had', wide, { customersPerHour: 499 }, true],
  ['more customers', wide, { customersPerTask: 101, customersPerHour: 500 }, false],
  ['another name', wide, { name: 'Other' }, false],
])('%s: its tokens of before end, %#', (_what, before, change, ends) => {
  expect(narrowsClient(before, change)).toBe(ends);
});

const MACHINE: GrantType[] = ['client_credentials'];
const PERSON: GrantType[] = ['authorization_code', 'refresh_token'];

test.each<[string, GrantType[], number | undefined, number | undefined, boolean]>([
  ['all that a machine may in an hour', MACHINE, 60, undefined, false],
  ['more than that', MACHINE, 61, undefined, true],
  ['as many as its own hour', MACHINE, 500, 500, false],
  ['more than its own hour', MACHINE, 501, 500, true],
  ['the default above an hour of fewer', MACHINE, undefined, 5, false],
  ['what eight hours of a person bring', PERSON, 480, undefined, false],
  ['more than eight hours bring', PERSON, 481, undefined, true],
  ['what a client of both can do for a person', [...PERSON, ...MACHINE], 480, undefined, false],
])('a budget of a task is %s: it can never be reached, %#', (_what, grantTypes, perTask, perHour, never) => {
  const problem = budgetProblem({ grantTypes, customersPerTask: perTask, customersPerHour: perHour });
  if (!never) expect(problem).toBeUndefined();
  else expect(problem).toMatch(/customers_per_task of .* can never be reached.* customers_per_hour is /);
});
