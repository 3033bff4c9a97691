import { randomBytes } from 'node:crypto';

/** A real Kafka broker for `*.container.spec.ts`. All files of a run share one; each takes topics and groups of its own in it. */
export interface TestKafka {
  /** `HOST:PORT` of each broker, as clients take them */
  readonly brokers: string[];
  /** What the names of this file's topics and groups begin with, as `test-3f2a…-`; the broker makes no topic by itself. */
  readonly prefix: string;
}

/**
 * The broker that jest.containers.config.mjs started for this run.
 * @throws Error in a spec that another configuration runs: it must be called `*.container.spec.ts`
 */
export function testKafka(): TestKafka {
  const broker = process.env.PORTCULLIS_TEST_KAFKA;
  if (broker === undefined) {
    throw new Error('No Kafka was started: name the spec x.container.spec.ts, and run jest.containers.config.mjs');
  }
  return { brokers: [broker], prefix: `test-${randomBytes(6).toString('hex')}-` };
}
