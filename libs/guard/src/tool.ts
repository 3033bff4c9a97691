import type * as z from 'zod';
import type { Exchange } from './exchange.js';

/** What a tool touches, so that policies can reason about sequences without knowing tools. */
export type Effect =
  'reads-pii' | 'reads-pii-in-bulk' | 'reads-untrusted' | 'writes' | 'destroys' | 'sends-outside' | 'none';

/** What a running tool is told of its call, besides its input. */
export interface ToolContext {
  /** aborted when the client goes away, the deadline passes, or the server stops; whatever takes long has to heed it */
  readonly signal: AbortSignal;
  /** what the call says besides its arguments, and what may be said to its client meanwhile */
  readonly exchange: Exchange;
  /**
   * What `customersOf` named, as far as it is there; undefined for a tool without it. Whatever is written has to be of one
   * of them still when it is written, since rows may come and go after they were looked up.
   */
  readonly customers?: readonly string[] | undefined;
  /**
   * When people were asked to approve this call, ms since epoch; undefined for a tool without `approvals`. They said yes to
   * the arguments only: what these stand for should not have become something else since.
   */
  readonly approvalAskedAt?: number | undefined;
}

/** Customers that a call names. Undefined stands for records that are not there, which are nobody's. */
export type NamedCustomers = readonly (string | undefined)[];

/**
 * A tool, whole: everything a reviewer must know about it. `Deps` is what `execute` works with, already narrowed to
 * the caller's tenant.
 */
export interface Tool<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType, Deps = never> {
  readonly name: string;
  readonly description: string;
  /** what every call needs */
  readonly scopes: readonly [string, ...string[]];
  /** what a call needs beyond that, by its raw, unvalidated arguments; must not throw */
  readonly scopesFor?: (args: Readonly<Record<string, unknown>>) => readonly string[];
  readonly effects: readonly [Effect, ...Effect[]];
  /**
   * Clients are not told to ask for its scopes before a call needs them, though it only reads or computes: for tools of
   * operators, and whatever else most clients are never granted.
   */
  readonly onDemand?: true;
  /** requests a minute for one principal, and LLM tokens reserved for one call */
  readonly limit: { readonly perMinute: number; readonly llmTokens: number };
  /**
   * LLM tokens that an executed call used, by its arguments, for a tool whose answer is not what they are spent on; otherwise
   * the answer's length says it. Must not throw.
   */
  readonly llmTokensOf?: (args: Readonly<Record<string, unknown>>) => number;
  /** seconds; the person must have signed in at most so long ago */
  readonly freshLogin?: number;
  /** how many people must approve a call before it is executed; none unless given */
  readonly approvals?: 1 | 2;
  /** ms; the call is given up after this. Default 10,000 */
  readonly deadlineMs?: number;
  /** input fields that may stand in audit events as they are: choices and figures, never free text, never what names a person */
  readonly safe?: readonly string[];
  readonly input: I;
  /**
   * What `output` is: structured content, which becomes the result (`output`, unless said otherwise), or the whole result as
   * the protocol has it, content blocks, errors and requests for input included (`result`, see mcp/tool-result.ts).
   */
  readonly answers?: 'output' | 'result';
  readonly output: O;
  /**
   * The customers that a call touches, before it is executed; what they may be is task.ts's to say. Every tool that writes,
   * destroys or sends for customers has it.
   */
  readonly customersOf?: (input: z.output<I>, deps: Deps) => NamedCustomers | Promise<NamedCustomers>;
  /** The customers whose data an output shows, before it leaves. Every tool that reads personal data has it, or customersOf. */
  readonly customersIn?: (output: z.output<O>) => readonly string[];
  execute(input: z.output<I>, deps: Deps, context: ToolContext): Promise<z.input<O>>;
}
/** A tool of any shape, as a registry holds it: `execute` takes whatever the tool's own schema let through. */
export type AnyTool = Tool<z.ZodType, z.ZodType, never>;

export const defineTool = <I extends z.ZodType, O extends z.ZodType, Deps>(tool: Tool<I, O, Deps>): Tool<I, O, Deps> =>
  Object.freeze(tool);

/** Tools by name, in the order given, which is the order clients see. */
export function toolRegistry(tools: readonly AnyTool[]): ReadonlyMap<string, AnyTool> {
  const registry = new Map(tools.map((tool) => [tool.name, tool]));
  if (registry.size !== tools.length) throw new Error('two tools have the same name');
  return registry;
}
