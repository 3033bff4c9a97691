import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { replayDeadLetters, waitingLetters } from '@portcullis/bus/letters';
import { silentLog } from '@portcullis/contract/log';
import { kafkaOptions } from '@portcullis/service/shared-bus.wire';
import { readSettings, SettingsError, type Env } from '@portcullis/service/settings';
import { readSecretFile } from '@portcullis/service/settings.file';
import * as z from 'zod';
import { config } from './config.js';

const settings = config.pick({
  PORTCULLIS_MODE: true,
  KAFKA_BROKERS: true,
  KAFKA_TOPIC_PREFIX: true,
  KAFKA_REPLICAS: true,
  KAFKA_SASL_USERNAME: true,
  KAFKA_SASL_PASSWORD: true,
  KAFKA_SSL: true,
  KAFKA_SSL_CA_FILE: true,
  KAFKA_SSL_CERT_FILE: true,
  KAFKA_SSL_KEY_FILE: true,
});

const choice = {
  id: z.string().optional(),
  tenant: z.string().optional(),
  topic: z.string().optional(),
  group: z.string().optional(),
};
const question = z.discriminatedUnion('verb', [
  z.strictObject({
    verb: z.literal('list'),
    ...choice,
    limit: z.int().min(1).max(200),
    cursor: z.string().optional(),
    payload: z.boolean(),
  }),
  z.strictObject({ verb: z.literal('replay'), ...choice, dryRun: z.boolean() }),
]);

/** The topic may hold a month of them. */
const READ_MS = 10 * 60_000;

/** What to print, as JSON, and how to end: 0 done, 1 the brokers cannot be used, 2 wrong use. */
export interface DeadLettersAnswer {
  readonly code: 0 | 1 | 2;
  readonly out?: string;
  readonly err?: string;
}

/**
 * Tells of the dead letters on the brokers that the environment names, or publishes them again, as the user `operator`.
 * @param text the question, as JSON
 */
export async function deadLetters(text: string, env: Env): Promise<DeadLettersAnswer> {
  const asked = question.parse(JSON.parse(text));
  const { id, tenant, topic, group } = asked;
  const chosen = { id, tenant, topic, group };
  try {
    const options = kafkaOptions(readSettings(settings, env, readSecretFile), 'operator', silentLog);
    if (options === undefined)
      return { code: 2, err: 'KAFKA_BROKERS is not set: without brokers there are no dead letters to look after.' };
    const bus = platformaticBus({ ...options, catchUpMs: READ_MS });
    try {
      const answer =
        asked.verb === 'list'
          ? await waitingLetters(bus, chosen, { limit: asked.limit, after: asked.cursor, payload: asked.payload })
          : await replayDeadLetters(bus, chosen, asked.dryRun);
      return { code: 0, out: JSON.stringify(answer) };
    } finally {
      await bus.close();
    }
  } catch (error) {
    if (error instanceof SettingsError) return { code: 2, err: error.message };
    return { code: 1, err: `The brokers cannot be used: ${error instanceof Error ? error.message : 'unknown error'}` };
  }
}
