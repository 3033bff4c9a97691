import { describe } from '@jest/globals';
import { silentLog } from '@portcullis/contract/log';
import { randomBytes } from 'node:crypto';
import { busContract } from './bus.contract.js';
import { kafkajsBus } from './bus.kafkajs.kafka.js';
import { platformaticBus } from './bus.platformatic.kafka.js';
import { durableBusContract } from './durable-bus.contract.js';
import { testKafka } from './kafka.fixture.js';

const { brokers, prefix } = testKafka();
/** A cluster of a test's own, as its names go. */
const optionsOfTest = () => ({
  brokers,
  clientId: 'spec',
  topicPrefix: `${prefix}${randomBytes(4).toString('hex')}-`,
  log: silentLog,
});

describe.each([
  ['@platformatic/kafka', platformaticBus],
  ['kafkajs', kafkajsBus],
])('the bus on Kafka by %s', (_library, open) => {
  busContract(async () => open(optionsOfTest()));
  durableBusContract(async () => {
    const options = optionsOfTest();
    return () => open(options);
  });
});
