import { randomUUID } from 'node:crypto';
import type { Bus } from '@portcullis/bus/bus';
import { HEARTBEAT_MS, type SignedTopic } from '@portcullis/contract/containment';
import type { Log } from '@portcullis/contract/log';
import type { StatementSigner } from './statement.js';
import { beatOnce } from './statements.js';

export interface HeartbeatPorts {
  /** ms since epoch */
  now(): number;
  /** has all been said that there was to say? If not, no heart beats, and replicas become careful */
  isTold?(): boolean;
  readonly log: Log;
}

/**
 * Says once a second, and at once, that this signer is there and has said all. Resolves after the first attempt; what fails
 * is tried again by the next second's.
 */
export async function startHeartbeats(
  bus: Bus,
  topic: SignedTopic,
  signer: StatementSigner,
  { now, isTold = () => true, log }: HeartbeatPorts,
): Promise<{ stop(): Promise<void> }> {
  const instance = randomUUID();
  let seq = 0;
  let underway: Promise<void> | undefined;
  let failing = false;
  const beat = async (): Promise<void> => {
    try {
      await beatOnce(bus, topic, signer, { instance, seq: (seq += 1), at: now() });
      if (failing) log.info(`heartbeats reach ${topic} again`);
      failing = false;
    } catch (error) {
      if (!failing) log.warn(`a heartbeat did not reach ${topic}; trying again`, { error });
      failing = true;
    }
  };
  // one at a time: a bus that is away must not gather them
  const mayBeat = (): Promise<void> =>
    (underway ??= (isTold() ? beat() : Promise.resolve()).finally(() => (underway = undefined)));
  await mayBeat();
  const timer = setInterval(() => void mayBeat(), HEARTBEAT_MS);
  // a start that fails later on must not be kept alive by it
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await underway;
    },
  };
}
