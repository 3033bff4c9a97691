import { hasEffect } from '../attempt.js';
import type { AnyTool } from '../tool.js';
import type { Caller } from '@portcullis/scopes/caller';
import { beyondCeiling, missingScopes } from '@portcullis/scopes/scopes';
import * as z from 'zod';

/** One tool as `tools/list` shows it to one caller. */
export interface ListedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object' };
  /** none for a tool that makes its whole result by itself */
  readonly outputSchema?: { readonly type: 'object' };
  readonly annotations: Readonly<Record<string, boolean>>;
  readonly _meta: Readonly<Record<string, unknown>>;
}

/** Lists the tools a caller could ever be granted, in their fixed order. What does not hang on the caller is made once. */
export function catalogOf(tools: ReadonlyMap<string, AnyTool>): (caller: Caller) => ListedTool[] {
  const entries = [...tools.values()].map((tool) => ({ tool, shown: shown(tool) }));
  return (caller) =>
    entries
      .filter(({ tool }) => beyondCeiling(caller.ceiling, tool.scopes).length === 0)
      .map(({ tool, shown: entry }) => ({
        ...entry,
        _meta: {
          'portcullis/scopes': tool.scopes,
          // false: a token with these scopes can be had, and has to be asked for first
          'portcullis/granted': missingScopes(caller.scopes, tool.scopes).length === 0,
        },
      }));
}

const shown = (tool: AnyTool) => ({
  name: tool.name,
  description: tool.description,
  inputSchema: jsonSchema(tool.input, 'input'),
  ...(tool.answers !== 'result' && { outputSchema: jsonSchema(tool.output, 'output') }),
  annotations: annotations(tool),
});

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): { type: 'object' } {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  if (json.type !== 'object') throw new TypeError('input and output of a tool are objects');
  return json as { type: 'object' };
}

/** Hints for hosts (MCP 2026-07-28, server/tools); nothing in this house relies on them. */
const annotations = (tool: AnyTool) => ({
  readOnlyHint: !hasEffect(tool),
  destructiveHint: tool.effects.includes('destroys'),
  openWorldHint: tool.effects.includes('sends-outside'),
});
