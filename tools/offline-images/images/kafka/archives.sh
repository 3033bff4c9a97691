#!/bin/bash
# Archives of the loaded classes (AppCDS): with them the broker starts in half the time. Made inside the image, because
# they hold for one exact JVM and class path only.
set -eu
. /etc/kafka/docker/java.sh
export CLUSTER_ID=5L6g3nShT-eMCtK--X86sw
quiet=(-Xlog:cds=off -Xlog:cds+dynamic=off)
log=/tmp/kafka.log at=(--bootstrap-server localhost:9092)

cp /etc/kafka/docker/log4j2.yaml "$KAFKA/config/"
setup "-XX:ArchiveClassesAtExit=$KAFKA/setup.jsa" "${quiet[@]}"
broker "-XX:ArchiveClassesAtExit=$KAFKA/kafka.jsa" "${quiet[@]}"
"${BROKER[@]}" >"$log" 2>&1 &
pid=$!
for _ in $(seq 600); do
  grep -q 'Kafka Server started' "$log" && break
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
grep -q 'Kafka Server started' "$log" || { tail -30 "$log"; exit 1; }
# what the first client makes it load, too
"$KAFKA/bin/kafka-topics.sh" "${at[@]}" --create --topic warm --partitions 2 >/dev/null
echo warm | "$KAFKA/bin/kafka-console-producer.sh" "${at[@]}" --topic warm
"$KAFKA/bin/kafka-console-consumer.sh" "${at[@]}" --topic warm --from-beginning --max-messages 1 --group warm >/dev/null 2>&1
kill "$pid"
wait "$pid" || true
rm -rf /tmp/kraft-combined-logs "$log" "$KAFKA"/config/* "$KAFKA/logs"
ls "$KAFKA"/setup.jsa "$KAFKA"/kafka.jsa
