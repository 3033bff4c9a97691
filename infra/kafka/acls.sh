#!/bin/sh
# Says who may do what with the topics, as libs/contract/src/topic-access.ts has it. It adds rules, and takes none away.
# Made by tools/kafka-scripts.mjs, after a build; a test holds it to the tables in libs/contract/src.
#   BOOTSTRAP            HOST:PORT of a broker
#   KAFKA_TOPIC_PREFIX   as the services have it; none unless given
#   COMMAND_CONFIG       a file with the login of an administrator, as Kafka's own tools take it
set -eu
: "${BOOTSTRAP:?HOST:PORT of a broker}"
PREFIX=${KAFKA_TOPIC_PREFIX:-}
#   PRINCIPAL            what stands before the name of a user: User: for logins by SCRAM; with certificates, what
#                        ssl.principal.mapping.rules makes of their subjects
PRINCIPAL=${PRINCIPAL:-User:}

allow() {
  user=$1
  shift
  kafka-acls.sh --bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} --add --allow-principal "$PRINCIPAL$user" "$@"
}

allow auth-server --operation Write --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.events" \
  --topic "${PREFIX}portcullis.revocations" \
  --topic "${PREFIX}portcullis.dead-letters"
allow auth-server --operation Read --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.revocations" \
  --topic "${PREFIX}portcullis.standing"
allow auth-server --operation Read --resource-pattern-type prefixed --group "${PREFIX}auth-server"

allow mcp-server --operation Write --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.events" \
  --topic "${PREFIX}portcullis.dead-letters"
allow mcp-server --operation Read --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.revocations" \
  --topic "${PREFIX}portcullis.standing" \
  --topic "${PREFIX}portcullis.limit-rules"
allow mcp-server --operation Read --resource-pattern-type prefixed --group "${PREFIX}mcp-server"

allow rate-limiter --operation Write --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.events" \
  --topic "${PREFIX}portcullis.limit-rules" \
  --topic "${PREFIX}portcullis.dead-letters"
allow rate-limiter --operation Read --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.revocations" \
  --topic "${PREFIX}portcullis.standing" \
  --topic "${PREFIX}portcullis.limit-rules"
allow rate-limiter --operation Read --resource-pattern-type prefixed --group "${PREFIX}rate-limiter"

allow security-analytics --operation Write --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.events" \
  --topic "${PREFIX}portcullis.standing" \
  --topic "${PREFIX}portcullis.dead-letters"
allow security-analytics --operation Read --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.events" \
  --topic "${PREFIX}portcullis.revocations" \
  --topic "${PREFIX}portcullis.standing" \
  --topic "${PREFIX}portcullis.dead-letters"
allow security-analytics --operation Read --resource-pattern-type prefixed --group "${PREFIX}security-analytics"

allow operator --operation Write --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.events" \
  --topic "${PREFIX}portcullis.dead-letters"
allow operator --operation Read --operation DescribeConfigs \
  --topic "${PREFIX}portcullis.dead-letters"
allow operator --operation Read --resource-pattern-type prefixed --group "${PREFIX}operator"
