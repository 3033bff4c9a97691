#!/bin/sh
# Makes the topics that are missing, as libs/contract/src/topics.ts has them. REPLICAS: copies of each, 3 unless given.
# Made by tools/kafka-scripts.mjs, after a build; a test holds it to the tables in libs/contract/src.
#   BOOTSTRAP            HOST:PORT of a broker
#   KAFKA_TOPIC_PREFIX   as the services have it; none unless given
#   COMMAND_CONFIG       a file with the login of an administrator, as Kafka's own tools take it
set -eu
: "${BOOTSTRAP:?HOST:PORT of a broker}"
PREFIX=${KAFKA_TOPIC_PREFIX:-}
REPLICAS=${REPLICAS:-3}
INSYNC=$((REPLICAS > 2 ? 2 : 1))

topic() {
  name=$1 partitions=$2
  shift 2
  kafka-topics.sh --bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} --create --if-not-exists \
    --topic "$PREFIX$name" --partitions "$partitions" --replication-factor "$REPLICAS" \
    --config "min.insync.replicas=$INSYNC" "$@"
}

topic portcullis.events 12 --config cleanup.policy=delete --config retention.ms=604800000 --config max.message.bytes=2097152
topic portcullis.signals 6 --config cleanup.policy=delete --config retention.ms=604800000 --config max.message.bytes=2097152
topic portcullis.approvals 3 --config cleanup.policy=delete --config retention.ms=604800000 --config max.message.bytes=2097152
topic portcullis.revocations 1 --config cleanup.policy=compact --config segment.ms=600000 --config max.compaction.lag.ms=3600000 --config min.cleanable.dirty.ratio=0.1
topic portcullis.standing 1 --config cleanup.policy=compact --config segment.ms=600000 --config max.compaction.lag.ms=3600000 --config min.cleanable.dirty.ratio=0.1
topic portcullis.limit-rules 1 --config cleanup.policy=compact --config segment.ms=600000 --config max.compaction.lag.ms=3600000 --config min.cleanable.dirty.ratio=0.1
topic portcullis.dead-letters 1 --config cleanup.policy=delete --config retention.ms=2592000000 --config max.message.bytes=2097152
