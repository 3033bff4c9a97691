import { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import type { Answer } from './answer.js';
import { CHANGES, type Change, type Changes } from './changes.js';
import { ENVELOPE, isObject } from './envelope.js';
import type { Message } from './message.js';
import type { Outlet } from './outlet.js';
import type { ServerInfo } from './protocol.js';
import type { Streams } from './streams.js';

export interface SubscriptionParts {
  readonly streams: Streams;
  readonly changes: Changes;
  readonly serverInfo: ServerInfo;
}

const KINDS = Object.keys(CHANGES) as Change[];

/**
 * Answers `subscriptions/listen`: an event stream whose first message says what will be told of what was asked for, and
 * which lives until the client closes it, its token ends, or the server stops.
 * @param refused a refusal as the JSON-RPC error that ends the stream
 * @throws Refusal params_invalid, rate_limited, overloaded
 * @see MCP 2026-07-28 basic/patterns/subscriptions
 */
export function listen(
  message: Message,
  caller: Caller,
  { streams, changes, serverInfo }: SubscriptionParts,
  refused: (why: Refusal) => object,
): Answer {
  const asked = filterOf(message.params['notifications']);
  const honored = KINDS.filter((kind) => asked.has(kind) && changes.kinds.has(kind));
  const place = streams.place(caller);
  const _meta = { [ENVELOPE.subscription]: message.id };
  const opened = (outlet: Outlet): void => {
    const notify = (method: string, params: object): void =>
      void outlet.send({ jsonrpc: '2.0', method, params: { ...params, _meta } });
    notify('notifications/subscriptions/acknowledged', {
      notifications: Object.fromEntries(honored.map((kind) => [kind, true])),
    });
    const stop = changes.subscribe((change) => {
      if (honored.includes(change)) notify(CHANGES[change], {});
    });
    outlet.onClosed(stop);
    place.take(outlet, (why) => {
      outlet.send(why === undefined ? ended(message, _meta, serverInfo) : refused(why));
      outlet.end();
    });
  };
  return { status: 200, headers: {}, body: undefined, stream: { opened, dropped: place.leave } };
}

/** The empty result that says that the server ended the subscription. */
const ended = ({ id }: Message, _meta: object, server: ServerInfo): object => ({
  jsonrpc: '2.0',
  id,
  result: { resultType: 'complete', _meta: { ..._meta, [ENVELOPE.server]: server } },
});

function filterOf(notifications: unknown): ReadonlySet<Change> {
  if (!isObject(notifications)) {
    throw new Refusal('params_invalid', { issues: ['notifications: must be an object'] });
  }
  const asked = notifications as Readonly<Record<string, unknown>>;
  const wrong = KINDS.filter((kind) => asked[kind] !== undefined && typeof asked[kind] !== 'boolean');
  if (wrong.length > 0) {
    throw new Refusal('params_invalid', { issues: wrong.map((kind) => `notifications.${kind}: must be a boolean`) });
  }
  const uris = asked['resourceSubscriptions'];
  if (uris !== undefined && !(Array.isArray(uris) && uris.every((uri) => typeof uri === 'string'))) {
    throw new Refusal('params_invalid', {
      issues: ['notifications.resourceSubscriptions: must be an array of strings'],
    });
  }
  return new Set(KINDS.filter((kind) => asked[kind] === true));
}
