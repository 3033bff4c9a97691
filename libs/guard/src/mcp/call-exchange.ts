import { Refusal } from '@portcullis/contract/refusals';
import { LOG_LEVELS, type Exchange, type LogLevel } from '../exchange.js';
import { ENVELOPE, isObject, membersOf } from './envelope.js';
import type { Message } from './message.js';
import type { Outlet } from './outlet.js';

/** What clients of older revisions get, as a server without sessions cannot remember what they set. */
const LEGACY_LEVEL: LogLevel = 'info';

/** What one message says besides its arguments. Costs nothing until a tool asks. */
export class CallExchange implements Exchange {
  readonly #message: Message;
  readonly #legacyLogs: boolean;
  readonly #open: () => Outlet | undefined;
  #outlet: Outlet | undefined;
  #silent = false;
  #told = -Infinity;

  /**
   * @param legacyLogs the server says `logging` to clients of older revisions
   * @param open       opens the event stream, at the first thing to be told; undefined for a client that cannot read one
   */
  constructor(message: Message, legacyLogs: boolean, open: () => Outlet | undefined) {
    this.#message = message;
    this.#legacyLogs = legacyLogs;
    this.#open = open;
  }

  get capabilities(): Readonly<Record<string, unknown>> {
    return membersOf(this.#meta()[ENVELOPE.capabilities]);
  }

  get inputResponses(): Readonly<Record<string, unknown>> | undefined {
    const responses = this.#message.params['inputResponses'];
    return isObject(responses) ? responses : undefined;
  }

  get requestState(): string | undefined {
    const state = this.#message.params['requestState'];
    return typeof state === 'string' ? state : undefined;
  }

  needs(capability: string): void {
    if (isObject(this.capabilities[capability])) return;
    throw new Refusal('capability_missing', { requiredCapabilities: { [capability]: {} } });
  }

  progress(progress: number, total?: number, message?: string): void {
    const { progressToken } = this.#meta();
    if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return;
    if (!(progress > this.#told)) return;
    this.#told = progress;
    this.#send('notifications/progress', {
      progressToken,
      progress,
      ...(total !== undefined && { total }),
      ...(message !== undefined && { message }),
    });
  }

  log(level: LogLevel, data: unknown, logger?: string): void {
    const from = LOG_LEVELS.indexOf(this.#logsFrom() as LogLevel);
    if (from < 0 || LOG_LEVELS.indexOf(level) < from) return;
    this.#send('notifications/message', { level, ...(logger !== undefined && { logger }), data });
  }

  /** Nothing is told any more: the answer has been made. */
  close(): void {
    this.#silent = true;
  }

  #logsFrom(): unknown {
    if (this.#message.era === 'modern') return this.#meta()[ENVELOPE.logLevel];
    return this.#legacyLogs ? LEGACY_LEVEL : undefined;
  }

  #send(method: string, params: object): void {
    if (this.#silent) return;
    this.#outlet ??= this.#open();
    if (this.#outlet === undefined) this.#silent = true;
    else this.#outlet.send({ jsonrpc: '2.0', method, params });
  }

  #meta(): Readonly<Record<string, unknown>> {
    return membersOf(this.#message.params['_meta']);
  }
}
