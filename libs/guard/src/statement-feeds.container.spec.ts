import { describe } from '@jest/globals';
import type { Bus } from '@portcullis/bus/bus';
import { kafkajsBus } from '@portcullis/bus/bus.kafkajs.kafka';
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { testKafka } from '@portcullis/bus/kafka.fixture';
import { silentLog } from '@portcullis/contract/log';
import { randomBytes } from 'node:crypto';
import { statementFeedContract } from './statement-feed.contract.js';

const { brokers, prefix } = testKafka();

describe.each([
  ['@platformatic/kafka', platformaticBus],
  ['kafkajs', kafkajsBus],
])('on Kafka by %s', (_library, make) => {
  statementFeedContract(() => {
    const topicPrefix = `${prefix}${randomBytes(4).toString('hex')}-`;
    const opened: Bus[] = [];
    const bus = (): Bus => {
      const one = make({ brokers, clientId: 'spec', topicPrefix, log: silentLog });
      opened.push(one);
      return one;
    };
    return { bus, close: async () => void (await Promise.all(opened.map((one) => one.close()))) };
  });
});
