import type { Bus } from '@portcullis/bus/bus';
import type { PassedOver, Statement } from '@portcullis/contract/containment';
import { Refusal } from '@portcullis/contract/refusals';
import {
  endsToken,
  revocableIds,
  revocationSchema,
  type RevocableToken,
  type Revocation,
} from '@portcullis/contract/revocation';
import { statementFeed, type Feed, type FeedPorts } from './statement-feed.js';

/** What was revoked before it expired, as auth-server says. */
export interface RevocationFeed extends Feed {
  /** @throws Refusal overloaded once the feed has stopped: what it knew may no longer be all */
  isRevoked(token: RevocableToken): boolean;
  /**
   * Was a person shut out at or after a moment, so that what they did until then counts no more?
   * @param since ms since epoch
   * @throws Refusal overloaded as {@link isRevoked} does
   */
  isShutOut(tenant: string, sub: string, since: number): boolean;
}

type Held = Pick<Revocation, 'what' | 'at' | 'until'>;
/** How often what has run out is looked for, ms. */
const DROP_EVERY_MS = 60_000;

/**
 * Listens to `portcullis.revocations`. Resolves when the topic's present content has been handled, so that no revoked token
 * slips in after a restart. It holds what can still end a token, and so as much as was revoked in one longest life.
 * @param group the service that listens
 */
export async function revocationFeed(bus: Bus, group: string, ports: FeedPorts): Promise<RevocationFeed> {
  const { now } = ports;
  const held = new Map<string, Held>();
  let dropped = now();
  const dropSome = (): void => {
    if (Math.abs(now() - dropped) < DROP_EVERY_MS) return;
    dropped = now();
    for (const [key, { until }] of held) if (Date.parse(until) <= dropped) held.delete(key);
  };
  const feed = await statementFeed(
    bus,
    'portcullis.revocations',
    group,
    {
      take(statement) {
        dropSome();
        return take(held, statement);
      },
      stillCounts: (key) => Date.parse(held.get(key)?.until ?? '') > now(),
    },
    ports,
  );
  const expectKnown = (): void => {
    if (!feed.ready()) throw new Refusal('overloaded', { retryAfterMs: 1000 }, { detail: 'revocations are not known' });
  };
  return {
    ...feed,
    isRevoked(token) {
      expectKnown();
      if (held.size === 0) return false;
      return revocableIds(token).some(([what, id]) => {
        const found = held.get(keyOf(token.tenant, what, id));
        return found !== undefined && endsToken(found, token.issuedAt);
      });
    },
    isShutOut(tenant, sub, since) {
      expectKnown();
      const found = held.get(keyOf(tenant, 'user', sub));
      return found !== undefined && since <= Date.parse(found.at);
    },
    async stop() {
      await feed.stop();
      held.clear();
    },
  };
}

function take(held: Map<string, Held>, { key, body }: Statement): PassedOver | undefined {
  const parsed = revocationSchema.safeParse(body);
  if (!parsed.success) return 'not_understood';
  const { tenant, what, id, at, until } = parsed.data;
  if (keyOf(tenant, what, id) !== key) return 'misplaced';
  const before = held.get(key);
  // Replicas tell each on its own, so the older of two may come last. RFC 3339 in UTC with ms compares as text.
  const next = { what, at: later(before?.at, at), until: later(before?.until, until) };
  const gained = before === undefined || next.at !== before.at || next.until !== before.until;
  if (gained) held.set(key, next);
  return gained || (next.at === at && next.until === until) ? undefined : 'out_of_date';
}

const keyOf = (tenant: string, what: string, id: string): string => `${tenant}/${what}/${id}`;
const later = (a: string | undefined, b: string): string => (a !== undefined && a > b ? a : b);
