import type { Bus } from '@portcullis/bus/bus';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import type { KafkaOptions } from '@portcullis/bus/kafka';
import { SIGNED_TOPICS, type SignedTopic, type Signer } from '@portcullis/contract/containment';
import type { Log } from '@portcullis/contract/log';
import { topicsOf, type BusService, type BusUser } from '@portcullis/contract/topic-access';
import type { Containment, Trust } from '@portcullis/guard/containment';
import { remoteKeys } from '@portcullis/guard/jwks.http';
import { statementSigner, type StatementSigner } from '@portcullis/guard/statement';
import type { SigningKeys } from '@portcullis/guard/token';
import type { CommonSettings } from './common.js';
import { keyBytes } from './key-text.js';
import { openOwnBus } from './own-bus.wire.js';
import type { Keys } from './setting.js';
import { SettingsError } from './settings.js';
import { readClientTls } from './tls.file.js';

type KafkaSettings = Pick<CommonSettings, Extract<keyof CommonSettings, `KAFKA_${string}`>>;
type Settings = KafkaSettings & Pick<CommonSettings, 'AUTH_ISSUER'>;

/** What a service hears and says among others. */
export interface SharedBus {
  readonly bus: Bus;
  /** believes who signs with a key that auth-server publishes */
  readonly containment: Trust;
  close(): Promise<void>;
}

/**
 * How a user reaches the brokers that the settings name.
 * @returns undefined where they name none
 * @throws SettingsError for files that cannot be read
 */
export function kafkaOptions(settings: KafkaSettings, user: BusUser, log: Log): KafkaOptions | undefined {
  const { KAFKA_BROKERS: brokers = [], KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  if (brokers.length === 0) return undefined;
  return {
    brokers,
    clientId: user,
    topicPrefix: settings.KAFKA_TOPIC_PREFIX,
    topics: topicsOf(user),
    replicas: settings.KAFKA_REPLICAS,
    tls: settings.KAFKA_SSL ? readClientTls('KAFKA_SSL', settings) : undefined,
    sasl: username === undefined || password === undefined ? undefined : { username, password },
    log,
  };
}

/** The bus that all processes share: Kafka, where the settings name brokers; see {@link kafkaOptions}. */
export function openSharedBus(settings: Settings, service: BusService, log: Log): SharedBus | undefined {
  const options = kafkaOptions(settings, service, log);
  if (options === undefined) return undefined;
  const bus = platformaticBus(options);
  return { bus, containment: publishedTrust(settings.AUTH_ISSUER), close: () => bus.close() };
}

/**
 * The bus of a service that signs what it says there: the one that all share, or, without brokers, one of its own.
 * @param others topics whose signer is another service, and so is spoken for on a bus of its own
 * @throws SettingsError as {@link openSigner}
 */
export async function openSigningBus<S extends Signer & BusService>(
  settings: Settings & { readonly STATEMENT_KEY?: Keys | undefined },
  signer: S,
  others: readonly SignedTopic[],
  log: Log,
): Promise<SharedBus & { readonly containment: Containment<S> }> {
  const shared = openSharedBus(settings, signer, log);
  if (shared === undefined) return openOwnBus(others, log);
  const signers = { [signer]: openSigner(signer, settings.STATEMENT_KEY, log) } as Record<S, StatementSigner>;
  return { ...shared, containment: { ...shared.containment, signers } };
}

function publishedTrust(issuer: string): Trust {
  const sets = new Map<Signer, SigningKeys>();
  return {
    keysOf(topic) {
      const { signer } = SIGNED_TOPICS[topic];
      let keys = sets.get(signer);
      if (keys === undefined) {
        keys = remoteKeys({ jwksUri: `${issuer}/containment/${signer}/jwks`, now: Date.now });
        sets.set(signer, keys);
      }
      return keys;
    },
  };
}

/**
 * Signs on a bus that others read, and says with which keys it is to be believed.
 * @throws SettingsError without keys: on a bus of its own a service makes some for as long as it runs, here they must outlive it
 */
export function openSigner(signer: Signer, keys: Keys | undefined, log: Log): StatementSigner {
  if (keys === undefined) throw notWithoutBrokers('STATEMENT_KEY', '32 random bytes as base64url');
  const [first, ...rest] = keys.map(keyBytes);
  const opened = statementSigner(signer, [first!, ...rest]);
  const publicKeys = opened.jwks.keys.map(({ x }) => `${signer}=${x}`).join(',');
  if (signer !== 'auth-server') log.info('signs statements; auth-server is to know of it', { publicKeys });
  return opened;
}

export const notWithoutBrokers = (variable: string, what: string): SettingsError =>
  new SettingsError([{ variable, says: `is missing. KAFKA_BROKERS needs it: ${what}.` }]);
