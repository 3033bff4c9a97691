import type { Bus } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { SIGNED_TOPICS, type SignedTopic, type PassedOver } from '@portcullis/contract/containment';
import type { Log } from '@portcullis/contract/log';
import { silentLog } from '@portcullis/contract/log';
import type { AllContainment } from './containment.js';
import { memoryContainment } from './containment.memory.js';
import type { FeedPorts } from './statement-feed.js';
import { beatOnce, publishStatements, type Saying } from './statements.js';

/** Speaks on the containment topics as their signers do, on a bus of a test. */
export function signersOn(bus: Bus, containment: AllContainment = memoryContainment()) {
  const signerOf = (topic: SignedTopic) => containment.signers[SIGNED_TOPICS[topic].signer];
  let [seq, beats] = [0, 0];
  return {
    containment,
    /** says the latest of a key */
    say: (topic: SignedTopic, key: string, body: unknown) =>
      publishStatements(bus, topic, signerOf(topic), [{ key, seq: (seq += 1), body }]),
    publish: (topic: SignedTopic, ...sayings: Saying[]) => publishStatements(bus, topic, signerOf(topic), sayings),
    beat: (topic: SignedTopic, at: number, more: { instance?: string; seq?: number } = {}) =>
      beatOnce(bus, topic, signerOf(topic), { instance: 'test', seq: (beats += 1), at, ...more }),
  };
}

/** A bus, its signers, and what a feed needs, with clocks that the test turns. */
export function feedRig(bus: Bus = memoryBus(), log: Log = silentLog) {
  const clock = { now: Date.UTC(2026, 0, 1, 12), uptime: 5_000 };
  const signers = signersOn(bus);
  const passedOver: PassedOver[] = [];
  const mended: string[] = [];
  const ports: FeedPorts = {
    keysOf: signers.containment.keysOf,
    now: () => clock.now,
    uptime: () => clock.uptime,
    passedOver: (_topic, why) => void passedOver.push(why),
    mend: (_topic, key) => void mended.push(key),
    log,
  };
  /** both clocks, as time goes by */
  const pass = (ms: number): void => {
    clock.now += ms;
    clock.uptime += ms;
  };
  return { bus, ...signers, clock, ports, passedOver, mended, pass };
}
