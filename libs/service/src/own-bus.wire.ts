import type { Bus } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import type { SignedTopic } from '@portcullis/contract/containment';
import type { Log } from '@portcullis/contract/log';
import type { AllContainment } from '@portcullis/guard/containment';
import { beatAlone, memoryContainment } from '@portcullis/guard/containment.memory';

/** What a service that runs alone hears and says. */
export interface OwnBus {
  readonly bus: Bus;
  readonly containment: AllContainment;
  close(): Promise<void>;
}

/**
 * The bus of a service alone in its process, which hears nobody else.
 * @param topics those whose signer is another service, and so is spoken for here
 */
export async function openOwnBus(topics: readonly SignedTopic[], log: Log): Promise<OwnBus> {
  const [bus, containment] = [memoryBus(), memoryContainment()];
  const beating = await beatAlone(bus, containment, topics, { now: Date.now, log });
  return {
    bus,
    containment,
    async close() {
      await beating.stop();
      await bus.close();
    },
  };
}
