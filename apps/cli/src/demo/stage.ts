import type { Scope } from '@portcullis/scopes/scopes';
import type { Agent } from '../agents.js';
import type { CallAnswer } from '../mcp.js';
import type { TokenAnswer } from '../token-request.js';

/** An agent of the demo: a client of its own, so that limits and standing of one scenario are no other's. */
export interface Player {
  readonly clientId: string;
  /** asks the token endpoint; no scopes named = what the client's ceiling gives without asking */
  requestToken(scopes: readonly Scope[]): Promise<TokenAnswer>;
}

/** Who can prove a key: the owner of bound tokens, or a thief with a key of its own. */
export interface KeyHolder {
  /** a proof for one call with this token, good but for the key where it is not the token's */
  proof(token: string): Promise<string>;
}

/** What a scenario works with. Every tool call made through it is recorded. */
export interface Stage {
  /** registers a client with this ceiling in the drill tenant */
  player(ceiling: readonly Scope[]): Promise<Player>;
  /** the same, and its tokens are bound to a key that it holds */
  keyedPlayer(ceiling: readonly Scope[]): Promise<Player & KeyHolder>;
  /** somebody with a key of their own */
  stranger(): Promise<KeyHolder>;
  /** calls a tool of the protected server; without a token when undefined, as Bearer when there is no proof */
  call(
    token: string | undefined,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    proof?: string,
  ): Promise<CallAnswer>;
  /** the agent as security-analytics sees it; undefined while it has not heard of it */
  agentOf(player: Player): Promise<Agent | undefined>;
  /** how many calls of that agent are in the audit store */
  callsRecorded(player: Player): Promise<number>;
  /** what `portcullis agent release` does */
  release(player: Player, reason: string): Promise<Agent>;
  /** asks again and again until the answer is not undefined; undefined when that takes too long */
  until<T>(attempt: () => Promise<T | undefined>): Promise<T | undefined>;
}

/**
 * One thing the gate does. `play` says what happened in the words of `expected`; the scenario holds when both are the
 * same text.
 */
export interface Scenario {
  readonly scenario: string;
  readonly expected: string;
  play(stage: Stage): Promise<string>;
}

/** One line of what `portcullis demo` prints. */
export interface Played {
  readonly scenario: string;
  readonly expected: string;
  readonly outcome: string;
  readonly ok: boolean;
  readonly calls: readonly { readonly tool: string; readonly http: number; readonly refusal?: string }[];
}

/** `200`, `403 scope_insufficient`, `200 input_invalid` */
export const seen = ({ http, refusal }: CallAnswer): string =>
  refusal === undefined ? `${http}` : `${http} ${refusal}`;
