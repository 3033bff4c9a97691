import { randomBytes } from 'node:crypto';
import type { Bus } from '@portcullis/bus/bus';
import { SIGNED_TOPICS, type SignedTopic } from '@portcullis/contract/containment';
import type { Log } from '@portcullis/contract/log';
import type { AllContainment } from './containment.js';
import { startHeartbeats } from './heartbeats.memory.js';
import { statementSigner } from './statement.js';

/** Keys that live as long as the process: what they sign is on a bus that does not live longer. */
export function memoryContainment(): AllContainment {
  const signers = {
    'auth-server': statementSigner('auth-server', [randomBytes(32)]),
    'security-analytics': statementSigner('security-analytics', [randomBytes(32)]),
    'rate-limiter': statementSigner('rate-limiter', [randomBytes(32)]),
  };
  const publicKeys = {
    'auth-server': signers['auth-server'].jwks,
    'security-analytics': signers['security-analytics'].jwks,
    'rate-limiter': signers['rate-limiter'].jwks,
  };
  return { signers, publicKeys, keysOf: (topic) => signers[SIGNED_TOPICS[topic].signer].keys };
}

/** For a service alone in its process, on a bus of its own: nobody else is there who could have contained anybody. */
export async function beatAlone(
  bus: Bus,
  { signers }: AllContainment,
  topics: readonly SignedTopic[],
  ports: { now(): number; readonly log: Log },
): Promise<{ stop(): Promise<void> }> {
  const beating = await Promise.all(
    topics.map((topic) => startHeartbeats(bus, topic, signers[SIGNED_TOPICS[topic].signer], ports)),
  );
  return { stop: async () => void (await Promise.all(beating.map((each) => each.stop()))) };
}
