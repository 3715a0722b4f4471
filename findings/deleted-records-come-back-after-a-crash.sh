#!/usr/bin/env bash
# Deleted messages come back when the broker is killed within a minute.
#
# Guess:   When delete-records has succeeded, the messages are gone for good.
# Happens: The broker writes down where its log begins only once a minute
#          (log.flush.start.offset.checkpoint.interval.ms). Killed before that and started again, it has all messages
#          again. A consumer that has skipped or reported them has told of a loss that never was.
# Matters: To whoever deletes messages because they must not be read any more.
# Witness: When this changes, SETTINGS in tests/story/command.py need not shorten that minute.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: offsets kept: 0 to 9
#   saw: offsets kept after delete-records below 5: 5 to 9
#   saw: offsets kept after kill -9 and a start: 0 to 9
#   saw: a consumer reads 10 messages

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
kept() {
    "$PYTHON" - "$1" <<'PYTHON'
import os
import sys

from finding import saw
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

tp, servers = TopicPartition("ticks", 0), os.environ["KAFKA"]
if not sys.argv[1]:
    with KafkaProducer(bootstrap_servers=servers) as producer:
        for _ in range(10):
            producer.send("ticks", b"tick").get(timeout=30)
consumer = KafkaConsumer(bootstrap_servers=servers)
saw(f"offsets kept{sys.argv[1]}: {consumer.beginning_offsets([tp])[tp]} to {consumer.end_offsets([tp])[tp] - 1}")
consumer.close()
PYTHON
}
kept ""
"$PYTHON" -m kafka.admin -b "$KAFKA" partitions delete-records -r ticks:0:5 >"$WORK/out" 2>&1 ||
    changed "delete-records fails"
after=$(kept " after delete-records below 5")
echo "$after"
[[ $after == *"5 to 9" ]] || changed "delete-records deletes nothing"
kill_kafka
start_kafka
after=$(kept " after kill -9 and a start")
echo "$after"
[[ $after == *"0 to 9" ]] || changed "what was deleted stays deleted"
"$PYTHON" - <<'PYTHON'
import os

from finding import expect, saw, wait_for
from kafka import KafkaConsumer

consumer, read = KafkaConsumer("ticks", bootstrap_servers=os.environ["KAFKA"], auto_offset_reset="earliest"), []
wait_for(lambda: read.extend(m for batch in consumer.poll(timeout_ms=500).values() for m in batch) or len(read) == 10)
saw(f"a consumer reads {len(read)} messages")
expect(len(read) == 10, "the deleted messages are not readable")
PYTHON
