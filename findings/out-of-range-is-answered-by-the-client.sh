#!/usr/bin/env bash
# The client itself answers that its offset is gone, and commit() commits the jump.
#
# Guess:   Retention costs the messages that it deleted, and an error or a line tells.
# Happens: With auto_offset_reset="latest" one deleted message makes the position jump to the end, past all that
#          is still there. poll() returns nothing and raises nothing; commit() without arguments commits the new
#          position.
# Matters: To consumers with `latest` whose retention is short.
# Witness: When this changes, consumer1.py can leave the reset to the client, and place() only tells.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: 0 to 99 were sent, 10 is committed, 11 is the first that is left
#   saw: then: 0 messages, no error, position 100
#   saw: commit(): 100 is committed, and 11 to 99 are never read

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

KAFKA, TICKS = os.environ["KAFKA"], TopicPartition("ticks", 0)
producer = KafkaProducer(bootstrap_servers=KAFKA)
for _ in range(100):
    producer.send("ticks", b"a tick")
producer.flush()

consumer = KafkaConsumer(
    bootstrap_servers=KAFKA, group_id="readers", enable_auto_commit=False, auto_offset_reset="latest"
)
consumer.assign([TICKS])
consumer.commit({TICKS: OffsetAndMetadata(10, "", -1)})
KafkaAdminClient(bootstrap_servers=KAFKA).delete_records({TICKS: 11})  # one message that was not read yet
saw(f"0 to 99 were sent, 10 is committed, {consumer.beginning_offsets([TICKS])[TICKS]} is the first that is left")
expect(consumer.position(TICKS) == 10, "the consumer does not begin at the committed offset")

messages = []


def moved():
    messages.extend(consumer.poll(timeout_ms=200).values())
    return consumer.position(TICKS) != 10


expect(wait_for(moved), "the position stays at the committed offset")
saw(f"then: {len(messages)} messages, no error, position {consumer.position(TICKS)}")
consumer.commit()
saw(f"commit(): {consumer.committed(TICKS)} is committed, and 11 to 99 are never read")
expect(not messages and consumer.committed(TICKS) == 100, "the client does not jump to the end in silence")
PY
