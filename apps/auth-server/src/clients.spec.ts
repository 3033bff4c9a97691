import { narrowsClient, type ClientChange } from './clients.js';

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
