import { toolWith } from '../following.fixture.js';
import { toolRegistry, type AnyTool } from '../tool.js';
import { firstScopes } from './metadata.js';

const first = (...tools: Partial<AnyTool>[]) =>
  firstScopes(toolRegistry(tools.map((words, i) => toolWith({ name: `tool_${i}`, scopes: ['a:b'], ...words }))));

test.each<AnyTool['effects']>([['none'], ['reads-pii'], ['reads-untrusted'], ['reads-pii', 'reads-untrusted']])(
  'scopes of a tool that is no more than %s are asked for first',
  (...effects) => expect(first({ effects: effects as never })).toEqual(['a:b']),
);

test.each<AnyTool['effects']>([
  ['reads-pii-in-bulk'],
  ['writes'],
  ['destroys'],
  ['sends-outside'],
  ['reads-pii', 'writes'],
  ['reads-untrusted', 'reads-pii-in-bulk'],
])('scopes of a tool that is %s are asked for when a call needs them', (...effects) =>
  expect(first({ effects: effects as never })).toEqual([]),
);

test('so are those of a tool that is there on demand, unless another tool needs them first', () => {
  const operators: Partial<AnyTool> = { effects: ['none'], onDemand: true };
  expect(first(operators)).toEqual([]);
  expect(first(operators, { effects: ['none'], scopes: ['c:d'] })).toEqual(['c:d']);
  expect(first(operators, { effects: ['none'] })).toEqual(['a:b']);
});

test('each scope is named once, in the order of the tools; what hangs on arguments is not', () => {
  const read: Partial<AnyTool> = { effects: ['none'], scopes: ['c:d', 'a:b'], scopesFor: () => ['e:f'] };
  expect(first(read, { effects: ['none'] })).toEqual(['c:d', 'a:b']);
});
