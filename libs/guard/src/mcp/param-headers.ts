import { Refusal } from '@portcullis/contract/refusals';
import * as z from 'zod';
import type { AnyTool } from '../tool.js';
import { mcpNameAgrees } from './mcp-name.js';

/** An argument that clients mirror into a header, since its schema says so with `x-mcp-header`. */
interface Mirrored {
  readonly path: readonly string[];
  /** `Mcp-Param-…` as it is written */
  readonly header: string;
}

const known = new WeakMap<AnyTool, readonly Mirrored[]>();
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;

/** Anything that has headers. */
interface Sent {
  /** @param name in lower case */
  header(name: string): string | undefined;
}

/**
 * Reads what the tools declare, before the first call does.
 * @throws TypeError for an x-mcp-header that is no name of a header
 */
export function expectParamHeaders(tools: ReadonlyMap<string, AnyTool>): void {
  for (const tool of tools.values()) mirroredOf(tool);
}

/**
 * Holds the headers of a call to what its body says, for the arguments that the tool has mirrored. What is in the body
 * has to be in the header; a header alone mirrors nothing and is not looked at.
 * @throws Refusal header_mismatch
 * @see MCP 2026-07-28 basic/transports/streamable-http, custom headers from tool parameters
 */
export function requireParamHeaders(tool: AnyTool, args: unknown, sent: Sent): void {
  for (const { path, header: name } of mirroredOf(tool)) {
    const value = valueAt(args, path);
    if (value === undefined) continue;
    const says = sent.header(name.toLowerCase());
    if (says === undefined || !mcpNameAgrees(value, says)) {
      const hint = says === undefined ? `${name} is missing.` : `${name} does not say what the body says.`;
      throw new Refusal('header_mismatch', { hint }, { detail: name });
    }
  }
}

function mirroredOf(tool: AnyTool): readonly Mirrored[] {
  let mirrored = known.get(tool);
  if (mirrored === undefined) {
    mirrored = [...declared(z.toJSONSchema(tool.input, { target: 'draft-2020-12', io: 'input' }), [])];
    known.set(tool, mirrored);
  }
  return mirrored;
}

/** Declarations along `properties`, the only place where the protocol allows them. */
function* declared(schema: object, path: readonly string[]): Generator<Mirrored> {
  const { properties, ['x-mcp-header']: name } = schema as { properties?: object; 'x-mcp-header'?: unknown };
  if (typeof name === 'string') {
    if (!TOKEN.test(name)) throw new TypeError(`x-mcp-header ${JSON.stringify(name)} is no name of a header`);
    yield { path, header: `Mcp-Param-${name}` };
  }
  for (const [key, inner] of Object.entries(properties ?? {})) {
    if (typeof inner === 'object' && inner !== null) yield* declared(inner, [...path, key]);
  }
}

/** The text that a header would mirror; undefined for what is not there, or is nothing that can be mirrored. */
function valueAt(args: unknown, path: readonly string[]): string | undefined {
  let at = args;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return typeof at === 'string' || typeof at === 'boolean' || typeof at === 'number' ? String(at) : undefined;
}
