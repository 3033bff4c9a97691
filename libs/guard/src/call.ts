import type { Refusal } from '@portcullis/contract/refusals';
import type { LimitVerdict } from '@portcullis/contract/limits';
import type { Caller } from '@portcullis/scopes/caller';
import type { BroughtApproval, PageToOpen } from './approval.js';
import type { SafeArguments } from './attempt.js';
import type { Label } from './history.js';
import type { Slot } from './slots.js';
import type { AnyTool } from './tool.js';

/** What a request asks for. The body decides, never the `Mcp-Name` header. */
export type Operation =
  | {
      readonly kind: 'tool';
      readonly method: 'tools/call';
      readonly tool: AnyTool;
      readonly args: unknown;
      /** for tools that people have to approve */
      readonly approval?: BroughtApproval;
    }
  | {
      readonly kind: 'resource';
      readonly method: 'resources/read';
      readonly uri: string;
      /** what `uri` is one of (RFC 6570) */
      readonly template: string;
      readonly tool: AnyTool;
      readonly args: unknown;
    }
  /** lists, discovery, initialize, ping, notifications, and whatever the SDK will say it does not know */
  | { readonly kind: 'other'; readonly method: string };

/** The scopes an operation needs, each once: the tool's own, then what its arguments need beyond them. */
export function neededScopes(operation: Operation): readonly string[] {
  if (operation.kind === 'other') return [];
  const { tool, args } = operation;
  if (tool.scopesFor === undefined) return tool.scopes;
  const record = typeof args === 'object' && args !== null ? (args as Record<string, unknown>) : {};
  return [...new Set([...tool.scopes, ...tool.scopesFor(record)])];
}

/** What a call passes: the first door up to `limits`, then the second. */
export type Step =
  | 'token'
  | 'standing'
  | 'arrival'
  | 'read'
  | 'scopes'
  | 'limits'
  | 'chain'
  | 'validate'
  | 'screen'
  | 'task'
  | 'approval'
  | 'attempt'
  | 'execute'
  | 'redact'
  | 'label';

/**
 * What is known of one request, filled in as it passes the doors. One is opened for every request to /mcp and closed
 * exactly once, and the audit event is made from it.
 */
export interface CallRecord {
  readonly correlationId: string;
  /** ms since epoch */
  readonly startedAt: number;
  caller?: Caller;
  /** the nonce that the answer brings for the caller's next proof (RFC 9449 §8.2) */
  dpopNonce?: string | undefined;
  operation?: Operation;
  /** method or tool name as the body gave it, also when there is no such thing; printable, bounded */
  asked?: { method: string; tool?: string };
  lease?: LimitVerdict & { allowed: true };
  /** what the limiter said of the call, or of its arrival when that was refused; its answer says how the limit stands */
  verdict?: LimitVerdict;
  refusal?: Refusal;
  /** the room that the call takes */
  slot?: Slot;
  /** id of the event that said that the tool is about to be executed */
  attempt?: string;
  /** what the tool declares safe of its validated input */
  arguments?: SafeArguments | undefined;
  /** resolves when a tool that was given up has really ended: to the class of what it threw, undefined when it ended well */
  unfinished?: Promise<string | undefined>;
  denial: boolean;
  /** id of the approval that was asked for or used */
  approval?: string;
  /** what the client is asked to have opened, in place of the refusal */
  pageToOpen?: PageToOpen;
  /** what was found in the arguments or in the output, and left on the task */
  labels?: readonly Label[];
  llmTokens?: number;
  /** milliseconds per step, in order; a step that took less than one is not named */
  readonly stepsMs: { [step in Step]?: number };
}
