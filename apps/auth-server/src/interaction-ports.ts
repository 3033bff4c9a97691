import type { EventLog } from '@portcullis/bus/outbox';
import type { Log } from '@portcullis/contract/log';
import type { RecordRefusal } from '@portcullis/service/refusal-events.memory';
import type { Request } from 'express';
import type { Provider } from 'oidc-provider';
import type { Artefacts } from './artefacts.js';
import type { FormToken } from './cookie-keys.js';
import type { Failures } from './failures.memory.js';
import type { Turns } from './turns.memory.js';
import type { Users } from './users.js';

/** What the login and consent pages work with. */
export interface InteractionPorts {
  readonly provider: Provider;
  readonly users: Users;
  readonly artefacts: Pick<Artefacts, 'noteSession'>;
  /** see sign-in.ts */
  readonly nobodysHash: string;
  readonly failures: Failures;
  /** in which passwords are compared, which costs much */
  readonly turns: Turns;
  readonly formToken: FormToken;
  readonly events: EventLog;
  /** for what anybody can be refused as often as they like */
  readonly refused: RecordRefusal;
  readonly log: Log;
  addressOf(request: Request): string;
  /** ms since epoch */
  now(): number;
}
export const INTERACTION_PORTS = Symbol('interaction ports');
