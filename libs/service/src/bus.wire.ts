import type { Bus } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import type { Log } from '@portcullis/contract/log';
import type { CommonSettings } from './common.js';
import { readClientTls } from './tls.file.js';

type Settings = Pick<CommonSettings, Extract<keyof CommonSettings, `KAFKA_${string}`>>;

/**
 * The bus that the settings name: Kafka where they name brokers, else one of this process, which hears nobody else.
 * @throws SettingsError for files that cannot be read
 */
export function openBus(settings: Settings, service: string, log: Log): Bus {
  const { KAFKA_BROKERS: brokers = [], KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  if (brokers.length === 0) return memoryBus();
  return platformaticBus({
    brokers,
    clientId: service,
    topicPrefix: settings.KAFKA_TOPIC_PREFIX,
    replicas: settings.KAFKA_REPLICAS,
    tls: settings.KAFKA_SSL ? readClientTls('KAFKA_SSL', settings) : undefined,
    sasl: username === undefined || password === undefined ? undefined : { username, password },
    log,
  });
}
