import { revocationFeed } from '@portcullis/guard/revocation-feed';
import { revocationAnnouncer } from './revocation-announcer.js';
import { sqlRevocations } from './revocations.sql.js';
import { revoking } from './revoking.js';
import type { AuthServerParts } from './start.js';

/** What is revoked: written here, announced from here, and heard here as by every other API. All of it before it resolves. */
export async function openRevocations({ database, bus, log, now = Date.now }: AuthServerParts) {
  const revocations = sqlRevocations(database);
  const announcer = revocationAnnouncer({
    revocations,
    publish: (messages) => bus.publish('portcullis.revocations', messages),
    later,
    now,
    log,
  });
  await announcer.start();
  const revoked = await revocationFeed(bus, 'auth-server', { now, log });
  return { announcer, revoked, revoke: revoking({ revocations, announce: announcer.announce, now }) };
}

const later = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms);
  // a start that fails later on must not be kept alive by it
  timer.unref();
  return () => clearTimeout(timer);
};
