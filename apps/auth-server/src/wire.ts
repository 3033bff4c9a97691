import { join } from 'node:path';
import { openEmbeddedStore } from '@portcullis/service/embedded-store.wire';
import { loadOrMakeKey } from '@portcullis/service/keys.file';
import { createLog } from '@portcullis/service/log.file';
import { openOwnBus } from '@portcullis/service/own-bus.wire';
import type { Keys } from '@portcullis/service/setting';
import type { AuthServerSettings } from './config.js';
import { readDemoAccounts, readLocalAdmin } from './embedded-accounts.file.js';
import type { AuthServerParts } from './start.js';

/**
 * The parts of this service alone in its process. Its bus is its own, so it hears of nobody's standing.
 * @throws Error when hardened: Kafka is not there yet
 */
export async function embeddedParts(
  settings: AuthServerSettings,
): Promise<AuthServerParts & { close(): Promise<void> }> {
  const log = createLog('auth-server', settings.LOG_LEVEL);
  const { bus, containment, close: closeBus } = await openOwnBus(['portcullis.standing'], log);
  const { data, database, events, close } = await openEmbeddedStore(settings, 'auth-server', { bus, log });
  const kept = async (name: string, given: Keys | undefined): Promise<Keys> =>
    given ?? [await loadOrMakeKey(join(data, 'keys'), name)];
  const keys = {
    keyEncryption: await kept('KEY_ENCRYPTION_KEY', settings.KEY_ENCRYPTION_KEY),
    cookie: await kept('COOKIE_KEY', settings.COOKIE_KEY),
    secretHash: await kept('SECRET_HASH_KEY', settings.SECRET_HASH_KEY),
  };
  const { LOCAL_ADMIN_FILE, DEMO_FILE } = settings;
  return {
    database,
    bus,
    events,
    containment,
    log,
    keys,
    localAdmin: LOCAL_ADMIN_FILE === undefined ? undefined : readLocalAdmin(LOCAL_ADMIN_FILE),
    demo: DEMO_FILE === undefined ? undefined : readDemoAccounts(DEMO_FILE),
    close: () => close().then(closeBus),
  };
}
