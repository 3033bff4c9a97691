import * as z from 'zod';
import { hasEffect, safeArguments } from './attempt.js';
import { defineTool, type Effect } from './tool.js';

const tool = (effects: readonly [Effect, ...Effect[]], safe?: readonly string[]) =>
  defineTool({
    name: 't',
    description: '',
    scopes: ['customer:read'],
    effects,
    limit: { perMinute: 1, llmTokens: 1 },
    ...(safe && { safe }),
    input: z.strictObject({}),
    output: z.strictObject({}),
    execute: async () => ({}),
  });

it.each([
  [['none'], false],
  [['reads-pii', 'reads-untrusted'], false],
  [['writes'], true],
  [['reads-pii', 'destroys'], true],
  [['sends-outside'], true],
] as const)('%j outlasts its call: %s', (effects, lasting) => {
  expect(hasEffect(tool(effects as never))).toBe(lasting);
});

it('keeps the fields that the tool declares safe, and only what is a figure, a yes or no, or a short text', () => {
  const input = {
    limit: 10,
    urgent: false,
    priority: 'high',
    long: 'x'.repeat(100),
    hidden: 'a\u202eb\n',
    list: [1],
    who: 'ann@example.org',
  };
  const kept = safeArguments(
    tool(['none'], ['limit', 'urgent', 'priority', 'long', 'hidden', 'list', 'absent']),
    input,
  );
  expect(Object.keys(kept ?? {})).toEqual(['limit', 'urgent', 'priority', 'long', 'hidden']);
  expect(kept).toMatchObject({ limit: 10, urgent: false, priority: 'high', long: 'x'.repeat(64) });
  expect(kept?.['hidden']).toMatch(/^[\x20-\x7e]*$/);
});

it('keeps nothing of a tool that declares nothing', () => {
  expect(safeArguments(tool(['none']), { limit: 10 })).toBeUndefined();
});
