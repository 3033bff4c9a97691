import { SIGNED_TOPICS } from '@portcullis/contract/containment';
import { TOPICS, type Topic, type TopicRow } from '@portcullis/contract/topics';

/** A topic as brokers are asked to make it. */
export interface TopicSettings {
  readonly name: string;
  readonly partitions: number;
  /** copies; -1 = what the brokers do */
  readonly replicas: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** A topic as the brokers have it. */
export interface TopicFound {
  readonly partitions: number;
  /** copies of its first partition */
  readonly replicas: number;
  /** those of {@link LOOKED_AT} that the brokers tell this user; undefined = it may not ask */
  readonly configs: Readonly<Record<string, string>> | undefined;
}

/** How topics are named and copied on one cluster. */
export interface Naming {
  readonly topicPrefix?: string | undefined;
  readonly replicas?: number | undefined;
}

const MS_PER_DAY = 86_400_000;
/** With so many copies or more, one may be away while two have what was acknowledged. */
const THREE = 3;

export function settingsOf(topic: Topic, { topicPrefix = '', replicas = -1 }: Naming): TopicSettings {
  const row: TopicRow = TOPICS[topic];
  const safe: Record<string, string> = replicas >= THREE ? { 'min.insync.replicas': '2' } : {};
  return {
    name: topicPrefix + topic,
    partitions: row.partitions,
    replicas,
    configs: { ...configsOf(row), ...safe },
  };
}

const configsOf = ({ compacted, days = 7 }: TopicRow): Record<string, string> =>
  compacted
    ? {
        'cleanup.policy': 'compact',
        // What is compacted lies in closed segments: without these a new replica would read days of what is outdated.
        'segment.ms': '600000',
        'max.compaction.lag.ms': '3600000',
        'min.cleanable.dirty.ratio': '0.1',
      }
    : {
        'cleanup.policy': 'delete',
        'retention.ms': String(days * MS_PER_DAY),
        // A dead letter is the largest message in an envelope, as base64.
        'max.message.bytes': '2097152',
      };

/** What an existing topic is asked for. */
export const LOOKED_AT = ['cleanup.policy', 'retention.ms', 'min.insync.replicas', 'max.message.bytes'] as const;

/** A topic exists and is not as its messages need it: whoever goes on would lose some of them, or their order. */
export class TopicUnfit extends Error {
  override readonly name = 'TopicUnfit';
}

/**
 * Compares an existing topic with its row.
 * @returns what differs and can be lived with, one sentence each
 * @throws TopicUnfit for what cannot, with the command that mends it
 */
export function lookAt(topic: Topic, wanted: TopicSettings, found: TopicFound): string[] {
  const { name, partitions, configs: rows } = wanted;
  if (found.partitions !== partitions && Object.hasOwn(SIGNED_TOPICS, topic)) {
    throw new TopicUnfit(
      `The topic ${name} has ${found.partitions} partitions and needs ${partitions}, so that what its signer says has one order. ` +
        `Stop the services and run: kafka-topics.sh --bootstrap-server HOST:PORT --delete --topic ${name}. Then infra/kafka/topics.sh, or the next start where services may, makes it anew, and its signer says again what counts`,
    );
  }
  const { configs } = found;
  const policy = configs?.['cleanup.policy'];
  const wantedPolicy = rows['cleanup.policy'];
  if (policy !== undefined && policy !== wantedPolicy) {
    const loses = TOPICS[topic].compacted
      ? 'what it must keep for ever ends'
      : 'only the last message of each key stays';
    throw new TopicUnfit(
      `The topic ${name} has cleanup.policy=${policy} and needs ${wantedPolicy}: as it is, ${loses}. Run: ` +
        `kafka-configs.sh --bootstrap-server HOST:PORT --alter --entity-type topics --entity-name ${name} --add-config cleanup.policy=${wantedPolicy}`,
    );
  }
  return [
    ...(found.partitions === partitions ? [] : [`has ${found.partitions} partitions instead of ${partitions}`]),
    ...['retention.ms', 'max.message.bytes'].flatMap((config) => differs(config, rows, configs)),
    ...(found.replicas > 1 && configs?.['min.insync.replicas'] === '1'
      ? ['acknowledges what one broker alone has: min.insync.replicas is 1']
      : []),
    ...(configs === undefined ? ['cannot be looked at: this user lacks DescribeConfigs'] : []),
  ];
}

function differs(config: string, rows: TopicSettings['configs'], configs: TopicFound['configs']): string[] {
  const [wanted, is] = [rows[config], configs?.[config]];
  return wanted === undefined || is === undefined || wanted === is ? [] : [`has ${config}=${is} instead of ${wanted}`];
}
