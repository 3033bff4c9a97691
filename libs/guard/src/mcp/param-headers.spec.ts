import { Refusal } from '@portcullis/contract/refusals';
import * as z from 'zod';
import { defineTool, type AnyTool } from '../tool.js';
import { expectParamHeaders, requireParamHeaders } from './param-headers.js';

const toolOf = (input: z.ZodObject): AnyTool =>
  defineTool({
    name: 'a_tool',
    description: '',
    scopes: ['a:b'],
    effects: ['none'],
    limit: { perMinute: 1, llmTokens: 1 },
    input,
    output: z.object({}),
    execute: async () => ({}),
  }) as AnyTool;

const REGION = toolOf(
  z.object({
    region: z.string().meta({ 'x-mcp-header': 'Region' }).optional(),
    inner: z.object({ dry: z.boolean().meta({ 'x-mcp-header': 'Dry-Run' }) }).optional(),
    count: z.int().meta({ 'x-mcp-header': 'Count' }).optional(),
    plain: z.string().optional(),
  }),
);
const checked = (args: unknown, headers: Record<string, string> = {}) =>
  requireParamHeaders(REGION, args, { header: (name) => headers[name] });

const NO_HEADERS = { header: () => undefined };

describe('arguments that are mirrored into headers', () => {
  it.each<[string, unknown, Record<string, string>]>([
    ['a text', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['a text in Base64', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8=?=' }],
    ['a text between blanks', { region: 'eu' }, { 'mcp-param-region': ' eu\t' }],
    ['a boolean further in', { inner: { dry: true } }, { 'mcp-param-dry-run': 'true' }],
    ['a number', { count: 42 }, { 'mcp-param-count': '42' }],
    ['an argument that is not mirrored', { plain: 'x' }, {}],
    ['no argument, whatever the header says', {}, { 'mcp-param-region': 'eu' }],
    ['what is no object', 'x', {}],
  ])('pass: %s', (_what, args, headers) => {
    expect(() => checked(args, headers)).not.toThrow();
  });

  it.each<[string, unknown, Record<string, string>]>([
    ['without its header', { region: 'eu' }, {}],
    ['another value', { region: 'eu' }, { 'mcp-param-region': 'us' }],
    ['another case', { region: 'eu' }, { 'mcp-param-region': 'EU' }],
    ['Base64 without its padding', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }],
    ['what is no Base64', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVs!!!bG8=?=' }],
    ['a boolean further in', { inner: { dry: true } }, { 'mcp-param-dry-run': 'false' }],
  ])('are refused: %s', (_what, args, headers) => {
    expect(() => checked(args, headers)).toThrow(expect.objectContaining({ code: 'header_mismatch' }) as Refusal);
  });

  it('are none for a tool whose schema names none', () => {
    expect(() => requireParamHeaders(toolOf(z.object({ a: z.string() })), { a: 'b' }, NO_HEADERS)).not.toThrow();
  });

  it('have names that headers can have', () => {
    const odd = toolOf(z.object({ a: z.string().meta({ 'x-mcp-header': 'a b' }) }));
    expect(() => expectParamHeaders(new Map([[odd.name, odd]]))).toThrow(TypeError);
  });
});
