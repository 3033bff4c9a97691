import type { Bus } from '@portcullis/bus/bus';
import { SIGNED_TOPICS, type SignedTopic } from '@portcullis/contract/containment';
import type { Log } from '@portcullis/contract/log';
import type { PublishingContainment } from '@portcullis/guard/containment';
import { localKeys } from '@portcullis/guard/jwks.http';
import { createLog } from '@portcullis/service/log.file';
import { openOwnBus } from '@portcullis/service/own-bus.wire';
import { notWithoutBrokers, openSharedBus, openSigner } from '@portcullis/service/shared-bus.wire';
import { openStore } from '@portcullis/service/store.wire';
import type { AuthServerSettings } from './config.js';
import { readDemoAccounts, readLocalAdmin } from './embedded-accounts.file.js';
import type { AuthServerParts } from './start.js';

/** The engines that the settings name; without brokers its bus is its own, and it hears of nobody's standing. */
export async function openParts(settings: AuthServerSettings): Promise<AuthServerParts & { close(): Promise<void> }> {
  const log = createLog('auth-server', settings.LOG_LEVEL);
  const { bus, containment, close: closeBus } = await openBus(settings, log);
  const { database, events, keysOf, close } = await openStore(settings, 'auth-server', { bus, log });
  const keys = {
    keyEncryption: await keysOf('KEY_ENCRYPTION_KEY', settings.KEY_ENCRYPTION_KEY),
    cookie: await keysOf('COOKIE_KEY', settings.COOKIE_KEY),
    secretHash: await keysOf('SECRET_HASH_KEY', settings.SECRET_HASH_KEY),
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

/** The others ask auth-server whose word counts; itself it needs to know before it serves, and so is told by a setting. */
async function openBus(
  settings: AuthServerSettings,
  log: Log,
): Promise<{ readonly bus: Bus; readonly containment: PublishingContainment; close(): Promise<void> }> {
  const shared = openSharedBus(settings, 'auth-server', log);
  if (shared === undefined) return openOwnBus(['portcullis.standing'], log);
  const own = openSigner('auth-server', settings.STATEMENT_KEY, log);
  const told = settings.STATEMENT_PUBLIC_KEYS;
  if (told === undefined) throw notWithoutBrokers('STATEMENT_PUBLIC_KEYS', 'whose statements are believed');
  const publicKeys = { ...told, 'auth-server': own.jwks };
  const keysOf = (topic: SignedTopic) => localKeys(publicKeys[SIGNED_TOPICS[topic].signer]);
  return { ...shared, containment: { signers: { 'auth-server': own }, publicKeys, keysOf } };
}
