import { platformaticClient } from './client.platformatic.kafka.js';
import { kafkaBus } from './bus.kafka.js';
import type { KafkaBus, KafkaOptions } from './kafka.js';

/** The bus on Kafka through @platformatic/kafka. */
export const platformaticBus = (options: KafkaOptions): KafkaBus => kafkaBus(platformaticClient(options), options);
