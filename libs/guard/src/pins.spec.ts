import * as z from 'zod';
import { toolWith } from './following.fixture.js';
import { driftedTools, expectPinned, pinOf, pins, pinsOf, pinStates } from './pins.js';
import type { AnyTool } from './tool.js';

const schema = z.strictObject({ id: z.string().max(10), n: z.int().min(1).max(50).default(10) });
const tool = (words: Partial<AnyTool> = {}) => toolWith({ name: 'a', input: schema, ...words });

test('a pin is a SHA-256, the same for the same definition, however and wherever it is written', () => {
  const reordered = z.strictObject({ n: z.int().min(1).max(50).default(10), id: z.string().max(10) });
  expect(pinOf(tool())).toMatch(/^[0-9a-f]{64}$/);
  expect(pinOf(tool({ input: reordered, execute: async () => ({ other: true }) }))).toBe(pinOf(tool()));
  expect(pins.parse(pinsOf([tool()]))).toEqual({ a: pinOf(tool()) });
});

test.each<[string, Partial<AnyTool>]>([
  ['name', { name: 'b' }],
  ['description', { description: 'Look up a customer, and mail it.' }],
  ['bound of an input', { input: z.strictObject({ id: z.string().max(11), n: z.int().min(1).max(50).default(10) }) }],
  ['words in an input', { input: z.strictObject({ id: z.string().max(10).describe('Say more.'), n: z.int() }) }],
  [
    'strictness of an input',
    { input: z.looseObject({ id: z.string().max(10), n: z.int().min(1).max(50).default(10) }) },
  ],
  ['output', { output: z.strictObject({ ssn: z.string() }) }],
  ['scope', { scopes: ['customer:list'] }],
  ['scope more', { scopes: ['customer:read', 'customer:list'] }],
  ['scope by arguments', { scopesFor: () => [] }],
  ['effect', { effects: ['none'] }],
  ['first scope', { onDemand: true }],
  ['rate', { limit: { perMinute: 61, llmTokens: 500 } }],
  ['fresh login', { freshLogin: 300 }],
  ['approval', { approvals: 1 }],
  ['second approval', { approvals: 2 }],
  ['deadline', { deadlineMs: 1 }],
  ['way to answer', { answers: 'result' }],
  ['safe field', { safe: ['n'] }],
  ['way to say whose', { customersOf: () => [] }],
  ['way to say whose it shows', { customersIn: () => [] }],
])('another %s is another definition', (_what, words) => {
  expect(pinOf(tool(words))).not.toBe(pinOf(tool()));
});

const [a, b] = [tool(), tool({ name: 'b' })];
const approved = pinsOf([a, b]);

test('tools as they were approved have no problem', () => {
  expect(pinStates([a, b], approved).map(({ name, problem }) => [name, problem])).toEqual([
    ['a', undefined],
    ['b', undefined],
  ]);
  expect(() => expectPinned([a, b], approved, 'do it')).not.toThrow();
  expect(driftedTools([a, b], approved).size).toBe(0);
});

test.each<[string, AnyTool[], string, RegExp]>([
  ['drifted', [tool({ description: 'x' }), b], 'a', /^Tool a is not as it was approved\. Run it\.$/],
  ['unknown', [a, b, tool({ name: 'c' })], 'c', /^Tool c was never approved\. Run it\.$/],
  ['missing', [a], 'b', /^Tool b was approved and is not there\. Run it\.$/],
  ['unknown', [a, b, tool({ name: 'constructor' })], 'constructor', /^Tool constructor was never approved/],
])('one that is %s stops the start, by name and with what to do', (problem, tools, name, says) => {
  expect(pinStates(tools, approved).find((each) => each.name === name)?.problem).toBe(problem);
  expect(() => expectPinned(tools, approved, 'Run it.')).toThrow(says);
  expect([...driftedTools(tools, approved)]).toEqual([name]);
});
