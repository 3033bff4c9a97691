import * as z from 'zod';
import { neededScopes, type Operation } from './call.js';
import { defineTool, toolRegistry, type AnyTool } from './tool.js';

const tool = (name: string, more: Partial<AnyTool> = {}): AnyTool =>
  defineTool({
    name,
    description: '',
    scopes: ['customer:list'],
    effects: ['none'],
    limit: { perMinute: 1, llmTokens: 1 },
    input: z.strictObject({}),
    output: z.strictObject({}),
    execute: async () => ({}),
    ...more,
  }) as AnyTool;
const call = (args: unknown, made: AnyTool): Operation => ({ kind: 'tool', method: 'tools/call', tool: made, args });

test('a registry keeps the order given and finds by exact name', () => {
  const registry = toolRegistry([tool('b'), tool('a')]);
  expect([...registry.keys()]).toEqual(['b', 'a']);
  expect([registry.get('A'), registry.get('__proto__'), registry.get('constructor')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('two tools of one name are a mistake', () => {
  expect(() => toolRegistry([tool('a'), tool('a')])).toThrow('same name');
});

test('a tool cannot be changed once defined', () => {
  expect(Object.isFrozen(tool('a'))).toBe(true);
});

test('an operation needs the scopes of its tool and those its arguments add, each once', () => {
  const made = tool('a', { scopesFor: ({ all }) => (all === true ? ['data:export', 'customer:list'] : []) });
  expect(neededScopes(call({ all: true }, made))).toEqual(['customer:list', 'data:export']);
  expect(neededScopes(call({}, made))).toEqual(['customer:list']);
  expect(
    neededScopes({
      kind: 'resource',
      method: 'resources/read',
      template: 'x://{id}',
      uri: 'x://1',
      tool: made,
      args: null,
    }),
  ).toEqual(['customer:list']);
  expect(neededScopes({ kind: 'other', method: 'tools/list' })).toEqual([]);
});
