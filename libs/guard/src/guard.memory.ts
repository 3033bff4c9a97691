import { redact } from '@portcullis/validators/redact';
import { memoryCredentialChecks } from './credential-checks.memory.js';
import { authenticate, type CredentialChecks } from './credentials.js';
import { runningCalls } from './deadline.memory.js';
import type { RunningCalls } from './deadline.js';
import type { ProofChecks } from './dpop.js';
import type { History } from './history.js';
import { memoryHistory } from './history.memory.js';
import { memoryStreams } from './mcp/streams.memory.js';
import type { Streams } from './mcp/streams.js';
import type { GuardPorts } from './pipeline.js';
import { memorySlots } from './slots.memory.js';
import type { SlotBounds } from './slots.js';
import { targetUri } from './target-uri.js';
import type { TokenRules } from './token.js';

/** What one guard has of its own: whose tokens it takes, what its tools work with, and what it asks of others. */
export interface GuardOf extends Omit<GuardPorts, 'callerOf' | 'slots' | 'running' | 'history' | 'redact'> {
  /** their audience is the URL of the endpoint */
  readonly rules: TokenRules;
  readonly slots: SlotBounds;
  /** what replicas have in common; each in the memory of this process unless given */
  readonly shared?: { readonly history?: History; readonly proofs?: ProofChecks } | undefined;
}

export interface MemoryGuard {
  readonly guard: GuardPorts;
  readonly checks: CredentialChecks;
  readonly running: RunningCalls;
  readonly streams: Streams;
}

/** A guard that remembers tokens, failures, proofs, slots, calls, histories and streams in the memory of this process, but for what is shared. */
export function memoryGuard({ rules, slots, shared = {}, ...own }: GuardOf): MemoryGuard {
  const { now } = own;
  const proofs = shared.proofs && { proofs: shared.proofs };
  const [checks, htu] = [memoryCredentialChecks(rules, proofs), targetUri(rules.audience)];
  const running = runningCalls();
  const guard: GuardPorts = {
    ...own,
    callerOf: (headers) => authenticate(headers, htu, checks),
    slots: memorySlots(slots),
    running,
    history: shared.history ?? memoryHistory(now),
    redact,
  };
  return { guard, checks, running, streams: memoryStreams(guard) };
}
