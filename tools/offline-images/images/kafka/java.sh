# What `run` starts, and what archives.sh starts once to see which classes are loaded; sourced by both. The two must agree:
# an archive counts only for the same class path and collector.
KAFKA=/opt/kafka
JVM=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true)

# Turns KAFKA_A_B into a.b by Kafka's own rules (__ is _, ___ is -; one KAFKA_* replaces the default file completely; a mounted
# /mnt/shared/config/server.properties comes first), and formats the log folder.
setup() { # flags of java
  cp /etc/kafka/docker/tools-log4j2.yaml "$KAFKA/config/"
  java "$@" -Xmx128m "${JVM[@]}" "-Dlog4j2.configurationFile=$KAFKA/config/tools-log4j2.yaml" -cp "$KAFKA/libs/*" \
    kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
    --mounted-configs-dir /mnt/shared/config --final-configs-dir "$KAFKA/config"
}
# the command line of the broker, in BROKER
broker() { # flags of java
  BROKER=(java "$@" ${KAFKA_HEAP_OPTS:--Xmx512m} ${KAFKA_JVM_PERFORMANCE_OPTS:-"${JVM[@]}"}
    "-Dlog4j2.configurationFile=$KAFKA/config/log4j2.yaml" ${KAFKA_JMX_OPTS:-} ${KAFKA_OPTS:-}
    -cp "$KAFKA/libs/*" kafka.Kafka "$KAFKA/config/server.properties")
}
