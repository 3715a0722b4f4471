#!/usr/bin/env bash
# One poll() that is worked on for too long comes again, and again, for ever.
#
# Guess:   A slow consumer is slow, and gets on.
# Happens: max_poll_interval_ms counts from one poll() to the next, whatever has been printed in between. When
#          it is over the client leaves its group, commit() fails, and the next poll() returns the same
#          messages.
# Matters: To consumers with a large max_poll_records and a slow output: 20,000 lines in 300 s are 67 lines a
#          second.
# Witness: When this changes, consumer1.py's print_messages() needs no deadline.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: messages 0 to 99: CommitFailedError
#   saw: messages 0 to 99: CommitFailedError
#   saw: messages 0 to 99: CommitFailedError

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os
import time

from finding import expect, saw, wait_for
from kafka import KafkaConsumer, KafkaProducer, TopicPartition, errors

KAFKA, TICKS = os.environ["KAFKA"], TopicPartition("ticks", 0)
producer = KafkaProducer(bootstrap_servers=KAFKA)
for _ in range(100):
    producer.send("ticks", b"a tick")
producer.flush()
consumer = KafkaConsumer(
    "ticks",
    bootstrap_servers=KAFKA,
    group_id="readers",
    auto_offset_reset="earliest",
    enable_auto_commit=False,
    max_poll_interval_ms=6000,
)
tries = []
for _ in range(3):
    [batch] = wait_for(lambda: consumer.poll(timeout_ms=500)).values()
    for _message in batch:
        time.sleep(0.1)  # a slow printer: ten seconds for all of them
    try:
        consumer.commit()
        outcome = "committed"
    except errors.CommitFailedError:
        outcome = "CommitFailedError"
    tries.append((batch[0].offset, batch[-1].offset, outcome))
    saw(f"messages {batch[0].offset} to {batch[-1].offset}: {outcome}")
expect(tries == [(0, 99, "CommitFailedError")] * 3, "the same hundred messages do not come again for ever")
PY
