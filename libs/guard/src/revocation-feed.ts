import type { Bus, Message } from '@portcullis/bus/bus';
import type { Log } from '@portcullis/contract/log';
import { Refusal } from '@portcullis/contract/refusals';
import {
  endsToken,
  revocableIds,
  revocationSchema,
  type RevocableToken,
  type Revocation,
} from '@portcullis/contract/revocation';

/** What was revoked before it expired, as auth-server says. */
export interface RevocationFeed {
  /** @throws Refusal overloaded once the feed has stopped: what it knew may no longer be all */
  isRevoked(token: RevocableToken): boolean;
  /**
   * Was a person shut out at or after a moment, so that what they did until then counts no more?
   * @param since ms since epoch
   * @throws Refusal overloaded as {@link isRevoked} does
   */
  isShutOut(tenant: string, sub: string, since: number): boolean;
  ready(): boolean;
  stop(): Promise<void>;
}

export interface RevocationFeedPorts {
  /** ms since epoch */
  now(): number;
  readonly log: Log;
}

type Held = Pick<Revocation, 'what' | 'at' | 'until'>;
/** How often what has run out is looked for, ms. */
const DROP_EVERY_MS = 60_000;

/**
 * Listens to `portcullis.revocations`. Resolves when the topic's present content has been handled, so that no revoked token
 * slips in after a restart. It holds what can still end a token, and so as much as was revoked in one longest life.
 * @param group the service that listens
 */
export async function revocationFeed(
  bus: Bus,
  group: string,
  { now, log }: RevocationFeedPorts,
): Promise<RevocationFeed> {
  const held = new Map<string, Held>();
  let ready = false;
  let dropped = now();
  const subscription = await bus.subscribe('portcullis.revocations', group, async (messages) => {
    for (const message of messages) take(held, message, log);
    if (Math.abs(now() - dropped) < DROP_EVERY_MS) return;
    dropped = now();
    for (const [key, { until }] of held) if (Date.parse(until) <= dropped) held.delete(key);
  });
  ready = true;
  const expectKnown = (): void => {
    if (!ready) throw new Refusal('overloaded', { retryAfterMs: 1000 }, { detail: 'revocations are not known' });
  };
  return {
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
    ready: () => ready,
    async stop() {
      ready = false;
      held.clear();
      await subscription.stop();
    },
  };
}

function take(held: Map<string, Held>, { value }: Message, log: Log): void {
  // A tombstone: whatever it buries has run out, and is dropped here by its own time.
  if (value === '') return;
  const parsed = revocationSchema.safeParse(jsonOf(value));
  // Stopping at a message that nobody understands would keep every later one from being heard.
  if (!parsed.success) return log.error('a revocation was not understood', { bytes: value.length });
  const { tenant, what, id, at, until } = parsed.data;
  const key = keyOf(tenant, what, id);
  const before = held.get(key);
  // Replicas tell each on its own, so the older of two may come last. RFC 3339 in UTC with ms compares as text.
  held.set(
    key,
    before === undefined ? { what, at, until } : { what, at: later(before.at, at), until: later(before.until, until) },
  );
}

const keyOf = (tenant: string, what: string, id: string): string => `${tenant}/${what}/${id}`;
const later = (a: string, b: string): string => (a > b ? a : b);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
