import { BUS_USERS, TOPIC_ACCESS, type Access, type BusUser } from '@portcullis/contract/topic-access';
import { TOPICS, type Topic } from '@portcullis/contract/topics';
import { settingsOf } from './topic-settings.js';

const NAMES = Object.keys(TOPICS) as Topic[];

const HEAD = (says: string): string => `#!/bin/sh
# ${says}
# Made by tools/kafka-scripts.mjs, after a build; a test holds it to the tables in libs/contract/src.
#   BOOTSTRAP            HOST:PORT of a broker
#   KAFKA_TOPIC_PREFIX   as the services have it; none unless given
#   COMMAND_CONFIG       a file with the login of an administrator, as Kafka's own tools take it
set -eu
: "\${BOOTSTRAP:?HOST:PORT of a broker}"
PREFIX=\${KAFKA_TOPIC_PREFIX:-}
`;
const TOOL = (tool: string): string =>
  `${tool}.sh --bootstrap-server "$BOOTSTRAP" \${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"}`;

/** Makes every topic that is missing; leaves the others alone. */
export const topicsScript = (): string =>
  `${HEAD('Makes the topics that are missing, as libs/contract/src/topics.ts has them. REPLICAS: copies of each, 3 unless given.')}REPLICAS=\${REPLICAS:-3}
INSYNC=$((REPLICAS > 2 ? 2 : 1))

topic() {
  name=$1 partitions=$2
  shift 2
  ${TOOL('kafka-topics')} --create --if-not-exists \\
    --topic "$PREFIX$name" --partitions "$partitions" --replication-factor "$REPLICAS" \\
    --config "min.insync.replicas=$INSYNC" "$@"
}

${NAMES.map((name) => {
  const { partitions, configs } = settingsOf(name, {});
  const words = Object.entries(configs).map(([config, value]) => `--config ${config}=${value}`);
  return `topic ${name} ${partitions} ${words.join(' ')}`;
}).join('\n')}
`;

/** Says who may read and write which topic, and by which groups. */
export const aclsScript = (): string =>
  `${HEAD('Says who may do what with the topics, as libs/contract/src/topic-access.ts has it. It adds rules, and takes none away.')}#   PRINCIPAL            what stands before the name of a user: User: for logins by SCRAM; with certificates, what
#                        ssl.principal.mapping.rules makes of their subjects
PRINCIPAL=\${PRINCIPAL:-User:}

allow() {
  user=$1
  shift
  ${TOOL('kafka-acls')} --add --allow-principal "$PRINCIPAL$user" "$@"
}

${BUS_USERS.map(rulesOf).join('\n\n')}
`;

function rulesOf(user: BusUser): string {
  const may = (way: keyof Access): Topic[] =>
    NAMES.filter((name) => (TOPIC_ACCESS[name] as Access)[way].includes(user));
  const [written, read] = [may('write'), may('read')];
  const topics = (names: readonly Topic[]): string =>
    names.map((name) => ` \\\n  --topic "\${PREFIX}${name}"`).join('');
  const operations = (...names: string[]): string => names.map((name) => `--operation ${name}`).join(' ');
  return [
    ...(written.length === 0 ? [] : [`allow ${user} ${operations('Write', 'DescribeConfigs')}${topics(written)}`]),
    ...(read.length === 0 ? [] : [`allow ${user} ${operations('Read', 'DescribeConfigs')}${topics(read)}`]),
    // the group that shares what a service reads, and those of its single replicas, begin with its name
    `allow ${user} ${operations('Read')} --resource-pattern-type prefixed --group "\${PREFIX}${user}"`,
  ].join('\n');
}
