import { openFeeds } from '@portcullis/guard/feeds';
import { startHeartbeats } from '@portcullis/guard/heartbeats.memory';
import { mending } from '@portcullis/guard/mending';
import type { FeedPorts } from '@portcullis/guard/statement-feed';
import { publishStatements } from '@portcullis/guard/statements';
import { later } from '@portcullis/service/later.memory';
import { keyParts, revocationMessage, revocationSaying } from './revocations.js';
import { revocationAnnouncer } from './revocation-announcer.js';
import { sqlRevocations } from './revocations.sql.js';
import { revoking } from './revoking.js';
import type { AuthServerParts } from './start.js';

const TOPIC = 'portcullis.revocations';
/** A replica that could not look for so long at what the others committed says no more that all is told. */
const LOOKED_MS = 2000;

/**
 * What is revoked: written here, announced from here, and heard here as by every other API, beside the standing of agents.
 * All of it before it resolves.
 */
export async function openRevocations(
  { database, bus, containment, log, now = Date.now, uptime = () => performance.now() }: AuthServerParts,
  counted: Pick<FeedPorts, 'passedOver'>,
) {
  const stored = sqlRevocations(database);
  let lookedAt = -Infinity;
  const revocations: typeof stored = {
    ...stored,
    async since(horizon, at) {
      const began = uptime();
      const found = await stored.since(horizon, at);
      lookedAt = began;
      return found;
    },
  };
  const signer = containment.signers['auth-server'];
  const publish = (messages: readonly { key: string; value: string }[]): Promise<void> =>
    publishStatements(bus, TOPIC, signer, messages.map(revocationSaying));
  const announcer = revocationAnnouncer({ revocations, publish, later, now, log });
  const mends = mending({
    async tell(keys) {
      for (const key of keys) {
        const parts = keyParts(key);
        const row = parts && (await stored.find(parts.tenant, parts.what, parts.id));
        await publish([row ? revocationMessage(row) : { key, value: '' }]);
      }
    },
    later,
    log,
  });
  await announcer.start();
  const feeds = await openFeeds(bus, 'auth-server', {
    keysOf: containment.keysOf,
    now,
    uptime,
    ...counted,
    mend: (topic, key) => topic === TOPIC && mends.mend(key),
    log,
  });
  const isTold = (): boolean => announcer.state() === 'ok' && uptime() - lookedAt <= LOOKED_MS;
  const heartbeats = await startHeartbeats(bus, TOPIC, signer, { now, isTold, log });
  return {
    announcer,
    feeds,
    revoke: revoking({ revocations, announce: announcer.announce, now }),
    async stop() {
      await heartbeats.stop();
      await mends.stop();
      await announcer.stop();
      await feeds.stop();
    },
  };
}
