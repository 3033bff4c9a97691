#!/bin/bash
# /opt/kafka/bin/*.sh, as the distribution has them: the scripts themselves are in no jar. A class that this version lacks is left out.
set -eu
bin=/opt/kafka/bin
cat >$bin/kafka-run-class.sh <<'Y'
#!/bin/bash
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${KAFKA_HEAP_OPTS:--Xmx256m} -Dlog4j2.configurationFile=${KAFKA_LOG4J2:-/etc/kafka/docker/tools-log4j2.yaml} ${KAFKA_OPTS:-} -cp '/opt/kafka/libs/*' "$@"
Y
while read -r name class; do
  path=${class//.//}.class
  if grep -qa "$path" /opt/kafka/libs/kafka*.jar; then printf '#!/bin/bash\nexec %s/kafka-run-class.sh %s "$@"\n' "$bin" "$class" >"$bin/$name.sh"; fi
done <<'Y'
kafka-topics org.apache.kafka.tools.TopicCommand
kafka-console-producer org.apache.kafka.tools.ConsoleProducer
kafka-console-consumer org.apache.kafka.tools.consumer.ConsoleConsumer
kafka-consumer-groups org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
kafka-configs kafka.admin.ConfigCommand
kafka-configs org.apache.kafka.tools.ConfigCommand
kafka-acls kafka.admin.AclCommand
kafka-acls org.apache.kafka.tools.AclCommand
kafka-storage kafka.tools.StorageTool
kafka-broker-api-versions org.apache.kafka.tools.BrokerApiVersionsCommand
kafka-metadata-quorum org.apache.kafka.tools.MetadataQuorumCommand
kafka-get-offsets org.apache.kafka.tools.GetOffsetShell
kafka-features org.apache.kafka.tools.FeatureCommand
kafka-transactions org.apache.kafka.tools.TransactionsCommand
kafka-producer-perf-test org.apache.kafka.tools.ProducerPerformance
kafka-consumer-perf-test org.apache.kafka.tools.ConsumerPerformance
kafka-server-start kafka.Kafka
Y
chmod 755 $bin/*.sh
ls $bin
