import { Refusal } from '@portcullis/contract/refusals';

/** How grave a log message is (RFC 5424 §6.2.1, MCP utilities/logging), mildest first. */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a call says besides its arguments, and what may be said to its client while it is under way. */
export interface Exchange {
  /** what the client can do, as this request says (MCP 2026-07-28, schema `ClientCapabilities`); none in older revisions */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** answers to the input requests of a call before, by their keys; unchecked, as they come from the client */
  readonly inputResponses: Readonly<Record<string, unknown>> | undefined;
  /** what a result before gave along; whoever calls may have changed it (MCP 2026-07-28, basic/patterns/mrtr) */
  readonly requestState: string | undefined;
  /** Tells how far the call is, when the client asked to be told. Figures that do not rise are left out, as the protocol wants. */
  progress(progress: number, total?: number, message?: string): void;
  /** Tells the client what happens, when it asked for messages of that level. Never secrets: it leaves the house. */
  log(level: LogLevel, data: unknown, logger?: string): void;
  /**
   * Makes sure that the client said it can do something, before it is asked to.
   * @throws Refusal capability_missing
   */
  needs(capability: string): void;
}

/** Of a call that nobody can be told of: it says nothing, and nothing is said. */
export const SILENT: Exchange = {
  capabilities: {},
  inputResponses: undefined,
  requestState: undefined,
  progress: () => {},
  log: () => {},
  needs(capability) {
    throw new Refusal('capability_missing', { requiredCapabilities: { [capability]: {} } });
  },
};
