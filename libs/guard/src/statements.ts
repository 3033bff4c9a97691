import type { Bus } from '@portcullis/bus/bus';
import { heartbeatKey, type SignedTopic } from '@portcullis/contract/containment';
import type { StatementSigner } from './statement.js';

/** What is to be said of a key: `body` undefined takes it off the topic. */
export interface Saying {
  readonly key: string;
  readonly seq: number;
  readonly body: unknown;
}

/** Signs and publishes. Resolves when the bus answers for all of it. */
export const publishStatements = (
  bus: Bus,
  topic: SignedTopic,
  signer: StatementSigner,
  sayings: readonly Saying[],
): Promise<void> =>
  bus.publish(
    topic,
    sayings.map(({ key, seq, body }) => ({
      key,
      value: body === undefined ? '' : signer.sign(topic, key, seq, body),
    })),
  );

/** One heartbeat of a process. @param seq larger than that of the last one */
export const beatOnce = (
  bus: Bus,
  topic: SignedTopic,
  signer: StatementSigner,
  { instance, seq, at }: { readonly instance: string; readonly seq: number; readonly at: number },
): Promise<void> => publishStatements(bus, topic, signer, [{ key: heartbeatKey(topic), seq, body: { instance, at } }]);
