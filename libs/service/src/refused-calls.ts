import { DEFAULT_TENANT } from '@portcullis/contract/ids';
import type { Caller } from '@portcullis/scopes/caller';
import type { IncomingMessage } from 'node:http';
import type { RecordRefusal } from './refusal-events.memory.js';

/** A call of a JSON API that is answered 401 or 403, or 429 for want of a good token. */
export interface RefusedCall {
  /** such as `scope_insufficient` */
  readonly error: string;
  /** for our log only */
  readonly detail?: string | undefined;
}
export type OnRefused = (request: IncomingMessage, refused: RefusedCall) => Promise<void>;

export interface RefusedCallPorts {
  readonly record: RecordRefusal;
  /** the caller's address */
  addressOf(request: IncomingMessage): string;
  /** ms since epoch */
  now(): number;
}

/** An event for every call that its caller had no right to: who it was, as far as a good token said so, and at which route. */
export const recordRefusedCalls =
  ({ record, addressOf, now }: RefusedCallPorts): OnRefused =>
  async (request, { error, detail }) => {
    // what passport and Express leave on a request; a path itself may hold anything
    const { user, route } = request as { user?: Caller; route?: { readonly path?: unknown } };
    const address = addressOf(request).slice(0, 64);
    await record(address, (more) => ({
      type: 'portcullis.admin.v1',
      tenant: user?.tenant ?? DEFAULT_TENANT,
      at: now(),
      data: {
        action: 'request.refused',
        actor: user?.actor ?? 'unknown',
        target: `${request.method ?? ''} ${String(route?.path ?? '')}`.slice(0, 255),
        reason: `${error}${detail === undefined ? '' : ` (${detail.slice(0, 800)})`} from ${address}${more}`.slice(
          0,
          1000,
        ),
      },
    }));
  };
