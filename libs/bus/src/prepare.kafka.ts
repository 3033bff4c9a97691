import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { DEFAULT_TIMEOUT_MS, type KafkaClient, type KafkaOptions } from './kafka.js';
import { lookAt, settingsOf, TopicUnfit } from './topic-settings.js';
import { eventually } from './within.kafka.js';

const ALL = Object.keys(TOPICS) as Topic[];

/**
 * Looks at the topics that a user has to do with, and makes those that are missing.
 * Brokers tell of a topic before its partitions have leaders; so long it can neither be written nor read.
 * @throws TopicUnfit at once for one that is not as its messages need it; else what the brokers said last
 */
export async function prepareTopics(client: KafkaClient, options: KafkaOptions): Promise<void> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, topics = ALL, log } = options;
  const wanted = topics.map((topic) => ({ topic, settings: settingsOf(topic, options) }));
  const made = new Set<string>();
  const said = new Set<string>();
  let missing: readonly string[] = [];

  const attempt = async (): Promise<void> => {
    missing = [];
    const found = await client.describe(wanted.map(({ settings }) => settings.name));
    for (const { topic, settings } of wanted) {
      const is = found.get(settings.name);
      for (const differs of is === undefined ? [] : lookAt(topic, settings, is)) {
        if (!said.has(topic + differs)) log.warn(`the topic ${settings.name} ${differs}`);
        said.add(topic + differs);
      }
    }
    const absent = wanted.map(({ settings }) => settings).filter(({ name }) => !found.has(name));
    missing = absent.map(({ name }) => name);
    if (absent.length > 0) await client.make(absent);
    missing = [];
    for (const { name } of absent) made.add(name);
    await Promise.all([...made].map((name) => client.spans(name)));
  };
  try {
    await eventually(timeoutMs, attempt, (error) => error instanceof TopicUnfit);
  } catch (error) {
    if (missing.length === 0) throw error;
    throw new Error(
      `the topics ${missing.join(', ')} are missing, or this user may not see them, and they cannot be made: infra/kafka/topics.sh makes them, acls.sh says who may do what with them`,
      { cause: error },
    );
  }
}
