import { createHash } from 'node:crypto';
import { canonicalJson } from '@portcullis/audit-schemas/digest';
import * as z from 'zod';
import type { AnyTool } from './tool.js';

/** SHA-256 (hex) of each tool's definition, by name, as somebody approved it. */
export type Pins = Readonly<Record<string, string>>;
export const pins = z.record(z.string().min(1).max(128), z.string().regex(/^[0-9a-f]{64}$/));

/** Everything that decides what a tool is to an agent and to the guard, except the code that does it. */
const definitionOf = (tool: AnyTool): object => ({
  name: tool.name,
  description: tool.description,
  input: jsonSchema(tool.input, 'input'),
  output: jsonSchema(tool.output, 'output'),
  answers: tool.answers,
  scopes: tool.scopes,
  // what a function decides no digest can tell; that there is one it can
  scopesByArguments: tool.scopesFor !== undefined,
  effects: tool.effects,
  onDemand: tool.onDemand,
  limit: tool.limit,
  freshLogin: tool.freshLogin,
  approvals: tool.approvals,
  deadlineMs: tool.deadlineMs,
  safe: tool.safe,
  saysWhoseBefore: tool.customersOf !== undefined,
  saysWhoseAfter: tool.customersIn !== undefined,
});

/** @returns SHA-256 of the canonical definition, hex: equal for equal definitions, in whatever order they are written */
export const pinOf = (tool: AnyTool): string =>
  createHash('sha256')
    .update(canonicalJson(definitionOf(tool)))
    .digest('hex');

export const pinsOf = (tools: Iterable<AnyTool>): Pins =>
  Object.fromEntries([...tools].map((tool) => [tool.name, pinOf(tool)]));

/** `drifted` its definition is another · `unknown` nobody approved it · `missing` it was approved and is not there */
export type PinProblem = 'drifted' | 'unknown' | 'missing';
export interface PinState {
  readonly name: string;
  /** undefined = as it was approved */
  readonly problem: PinProblem | undefined;
  /** its definition now; undefined when it is missing */
  readonly pin: string | undefined;
  /** undefined when nobody approved it */
  readonly approved: string | undefined;
}

/** How the tools stand to what was approved, each once, in the order they are served. */
export function pinStates(tools: Iterable<AnyTool>, approved: Pins): readonly PinState[] {
  const now = pinsOf(tools);
  const gone = Object.keys(approved).filter((name) => !Object.hasOwn(now, name));
  return [...Object.keys(now), ...gone].map((name) => {
    const pin = Object.hasOwn(now, name) ? now[name] : undefined;
    const known = Object.hasOwn(approved, name) ? approved[name] : undefined;
    return { name, problem: problemOf(pin, known), pin, approved: known };
  });
}

function problemOf(pin: string | undefined, approved: string | undefined): PinProblem | undefined {
  if (pin === undefined) return 'missing';
  if (approved === undefined) return 'unknown';
  return pin === approved ? undefined : 'drifted';
}

const SAYS: Readonly<Record<PinProblem, string>> = {
  drifted: 'is not as it was approved',
  unknown: 'was never approved',
  missing: 'was approved and is not there',
};

/**
 * For servers that do not start with tools that nobody approved.
 * @param how what to run to look at the difference and to approve it
 * @throws Error naming each such tool
 */
export function expectPinned(tools: Iterable<AnyTool>, approved: Pins, how: string): void {
  const problems = pinStates(tools, approved).flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`Tool ${name} ${SAYS[problem]}.`],
  );
  if (problems.length > 0) throw new Error([...problems, how].join(' '));
}

/** For servers that go on without them: the names of the tools that are refused with `tool_drifted`. */
export const driftedTools = (tools: Iterable<AnyTool>, approved: Pins): ReadonlySet<string> =>
  new Set(pinStates(tools, approved).flatMap(({ name, problem }) => (problem === undefined ? [] : [name])));

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return json;
}
