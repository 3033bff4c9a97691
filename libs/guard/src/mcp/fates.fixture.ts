import type { RefusalCode } from '@portcullis/contract/refusals';

/** What becomes of a request, and the outcome that its event has to tell. */
export const FATES = {
  'no token': 'token_missing',
  'a proof by another key': 'dpop_invalid',
  'a revoked token': 'token_invalid',
  'a contained agent': 'quarantined',
  'too many arrivals': 'rate_limited',
  'a body that breaks off': 'request_invalid',
  'a body that says it is too large': 'body_too_large',
  'a body that grows too large': 'body_too_large',
  'a body that is no JSON': 'json_malformed',
  'a batch': 'batch_unsupported',
  'a header that says otherwise': 'header_mismatch',
  'an unknown tool': 'tool_unknown',
  'a missing scope': 'scope_insufficient',
  'an old login': 'login_too_old',
  'too many calls': 'rate_limited',
  'a limiter that fails': 'internal',
  'a tool that nobody pinned': 'tool_drifted',
  'a tool that may not follow': 'chain_forbidden',
  'wrong arguments': 'input_invalid',
  'a tool that people approve': 'approval_needed',
  success: 'allowed',
  'an output that is hostile': 'allowed',
  'a tool that throws': 'tool_failed',
  'a tool that refuses': 'row_forbidden',
  'an output that is none': 'tool_failed',
  'a tool that is late': 'tool_failed',
  'a tool that is late and heeds it': 'tool_failed',
  'a client that left before': 'cancelled',
  'a client that leaves': 'cancelled',
  'a server that stops': 'overloaded',
  'a server that stops, which the tool heeds': 'overloaded',
} as const satisfies Record<string, RefusalCode | 'allowed'>;
export type Fate = keyof typeof FATES;
export const ALL_FATES = Object.keys(FATES) as Fate[];

export interface Story {
  readonly fate: Fate;
  /** the tool has an effect */
  readonly writes: boolean;
  /** what cannot be kept of it */
  readonly lost: 'nothing' | 'attempted' | 'outcome';
}

/** Tools differ in what they need; there is one of each kind with an effect, and one without. */
export const KINDS = {
  plain: {},
  fresh: { freshLogin: 300 },
  unpinned: {},
  chained: {},
  approved: { approvals: 1 },
  patient: { deadlineMs: 60_000 },
} as const;
type Kind = keyof typeof KINDS;

const KIND_OF: Readonly<Partial<Record<Fate, Kind>>> = {
  'an old login': 'fresh',
  'a tool that nobody pinned': 'unpinned',
  'a tool that may not follow': 'chained',
  'a tool that people approve': 'approved',
  'a server that stops': 'patient',
  'a server that stops, which the tool heeds': 'patient',
};
export const nameOf = (kind: Kind, writes: boolean): string => `${kind}_${writes ? 'write' : 'look'}`;

/** Its tool runs until the server is stopped. */
export const outlasts = ({ fate }: Story): boolean => KIND_OF[fate] === 'patient';

/** Longer than a request of these stories, and what their server reads of one at most. Bytes. */
export const MAX_BODY = 2048;

/** What a request sends, and whether all of it comes; the n-th of its sequence. */
export function sent({ fate, writes }: Story, n: number) {
  const name = fate === 'an unknown tool' ? 'nothing' : nameOf(KIND_OF[fate] ?? 'plain', writes);
  const args = fate === 'wrong arguments' ? { n, more: 1 } : { n };
  const message = { jsonrpc: '2.0', id: n, method: 'tools/call', params: { name, arguments: args } };
  const text = fate === 'a body that is no JSON' ? '{' : JSON.stringify(fate === 'a batch' ? [message] : message);
  const tooLarge = fate === 'a body that says it is too large' || fate === 'a body that grows too large';
  return {
    body: tooLarge ? text.padEnd(MAX_BODY + 1) : text,
    saysLength: fate !== 'a body that grows too large',
    breaksOff: fate === 'a body that breaks off',
    headers: {
      version: '2025-11-25',
      method: fate === 'a header that says otherwise' ? 'tools/list' : undefined,
      name: undefined,
    },
  };
}
