import { Refusal } from '@portcullis/contract/refusals';
import type { Exchange } from '../exchange.js';
import type { Era } from './protocol.js';

/** A result that asks the client for something, as tools with `answers: 'result'` make it (tool-result.ts). */
export interface InputRequired {
  readonly resultType: 'input_required';
  readonly inputRequests?: Readonly<Record<string, { readonly method: string }>>;
}

export const asksForInput = (output: unknown): output is InputRequired =>
  (output as { resultType?: unknown }).resultType === 'input_required';

/** What a client has to be able to do to be asked. */
const CAPABILITY_FOR: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/**
 * Holds a result that asks for input to what its client can be asked for.
 * @throws Refusal capability_missing in a revision that has no such results, or for what the client did not say it can do
 * @see MCP 2026-07-28 basic/patterns/mrtr
 */
export function requireAskable({ inputRequests = {} }: InputRequired, era: Era, exchange: Exchange): void {
  if (era === 'legacy') {
    throw new Refusal('capability_missing', { hint: 'It asks for input, which takes revision 2026-07-28.' });
  }
  for (const { method } of Object.values(inputRequests)) exchange.needs(CAPABILITY_FOR[method] ?? method);
}
