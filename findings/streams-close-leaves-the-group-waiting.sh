#!/usr/bin/env bash
# A Kafka Streams application that is closed in order and started again is silent until its session is over.
#
# Guess:   close() leaves the group, so the next start has its partitions within some seconds, and only a crash
#          costs the session timeout.
# Happens: With the classic protocol, the default, close() does not leave the group: the next start waits for
#          session.timeout.ms, 45 s, as after a crash. With group.protocol=streams (KIP-1071) it does leave.
# Matters: To planned restarts and deployments of a Streams application that has one instance.
# Seen:    2026-11-29, with Kafka Streams 4.3.1, Java 17, Apache Kafka 4.3.1:
#
#   saw: group.protocol=streams, closed and started again: first message after 6 s
#   saw: group.protocol=classic, closed and started again: first message after 44 s

source "$(dirname "$0")/lib/kafka.sh"
need javac "a JDK of 17 or later"
need java "the same"
python_with kafka-python==3.0.12
start_kafka
jars org.apache.kafka:kafka-streams:4.3.1 org.slf4j:slf4j-nop:1.7.36
cat >"$WORK/App.java" <<'JAVA'
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;

public class App { // prints after how many seconds its first message came, and ends in order
    public static void main(String[] args) throws Exception {
        var settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("application.id", "app-" + args[1]);
        settings.put("group.protocol", args[1]);
        settings.put("state.dir", args[2]);
        settings.put("default.key.serde", Serdes.StringSerde.class);
        settings.put("default.value.serde", Serdes.StringSerde.class);
        var first = new CountDownLatch(1);
        var builder = new StreamsBuilder();
        builder.<String, String>stream("ticks").foreach((key, value) -> first.countDown());
        var streams = new KafkaStreams(builder.build(), settings);
        long start = System.nanoTime();
        streams.start();
        first.await();
        System.out.println((System.nanoTime() - start) / 1_000_000_000);
        streams.close();
    }
}
JAVA
javac -cp "$JARS/*" -d "$WORK" "$WORK/App.java"

"$PYTHON" - <<'PY' &
import os
import time

from kafka import KafkaProducer

producer = KafkaProducer(bootstrap_servers=os.environ["KAFKA"])
while True:
    producer.send("ticks", b"a tick")
    time.sleep(0.1)
PY
STARTED="$STARTED $!"
disown

second_start() { # PROTOCOL: sets $seconds
    for _ in first second; do
        seconds=$(java -cp "$WORK:$JARS/*" App "$KAFKA" "$1" "$WORK/state")
    done
    echo "saw: group.protocol=$1, closed and started again: first message after $seconds s"
}

second_start streams
streams=$seconds
second_start classic
[ "$seconds" -ge $((streams + 10)) ] || changed "with the classic protocol, too, close() leaves the group"
