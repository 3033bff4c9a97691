import { kafkajsClient } from './client.kafkajs.kafka.js';
import { kafkaBus } from './bus.kafka.js';
import type { KafkaBus, KafkaOptions } from './kafka.js';

/** The bus on Kafka through kafkajs. */
export const kafkajsBus = (options: KafkaOptions): KafkaBus => kafkaBus(kafkajsClient(options), options);
