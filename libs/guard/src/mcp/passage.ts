import type { Refusal } from '@portcullis/contract/refusals';
import type { AttemptLog } from '../attempt.js';
import type { CallRecord } from '../call.js';
import type { Waiting } from '../deadline.js';
import { CallExchange } from './call-exchange.js';
import { dressed } from './dressed.js';
import type { DoorParts } from './door-parts.js';
import type { Inbound } from './inbound.js';
import type { Message } from './message.js';
import type { Outlet } from './outlet.js';
import { METHODS } from './protocol.js';
import { openRecord } from './record.js';

/** One request on its way through: what the two doors learn of it, and what its answer will need. */
export class Passage implements Waiting, AttemptLog {
  readonly record: CallRecord;
  /** the parsed body, as soon as there is one */
  body?: unknown;
  message?: Message;
  /** the answer is an event stream by now, so that its status has been said */
  streaming = false;
  /** why the stream of the answer was cut, if it was */
  ended?: Refusal;
  #exchange?: CallExchange;

  constructor(
    readonly inbound: Inbound,
    private readonly parts: DoorParts,
  ) {
    this.record = openRecord(inbound);
  }

  get exchange(): CallExchange {
    const { methods = METHODS } = this.parts;
    return (this.#exchange ??= new CallExchange(this.message!, 'logging/setLevel' in methods, () => this.#open()));
  }

  /** Nothing more is told but the answer. */
  hush(): void {
    this.#exchange?.close();
  }

  #open(): Outlet | undefined {
    const outlet = this.inbound.openStream(
      dressed({ status: 200, headers: {}, body: undefined }, this, this.parts.neighbourhood).headers,
    );
    if (outlet === undefined) return undefined;
    this.streaming = true;
    this.parts.streams.watch(this.record.caller!, outlet, (why) => {
      // a server that stops lets calls under way finish
      if (why === undefined) return;
      this.ended = why;
      outlet.cut();
    });
    return outlet;
  }

  isGone(): boolean {
    return this.inbound.isGone();
  }

  attempted(): Promise<string> {
    return this.parts.ledger.attempted(this.record, this.inbound);
  }
}
