#!/usr/bin/env bash
# On one broker with Kafka's own defaults, a group gets nothing, and no error.
#
# Guess:   Kafka makes __consumer_offsets with as many copies as it can, or the consumer raises.
# Happens: offsets.topic.replication.factor is 3 by default, so the topic is never made. Messages can be sent,
#          and read without a group. poll() of a group returns nothing for ever; committed() ends with
#          KafkaTimeoutError.
# Matters: To whoever sets up a single broker by hand.
# Witness: When this changes, tests/TROUBLESHOOTING.md's words on __consumer_offsets can go, and docker-compose.yml's
#          KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR with them.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: a producer's message is stored
#   saw: 30 s of poll(): {}, no error
#   saw: committed(): KafkaTimeoutError
#   saw: a consumer without a group: 1 message

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka offsets.topic.replication.factor=3 # the default, with one broker
"$PYTHON" - <<'PY'
import os

from finding import expect, saw, wait_for
from kafka import KafkaConsumer, KafkaProducer, TopicPartition, errors

KAFKA = os.environ["KAFKA"]
KafkaProducer(bootstrap_servers=KAFKA).send("ticks", b"1").get(timeout=60)
saw("a producer's message is stored")
consumer = KafkaConsumer("ticks", bootstrap_servers=KAFKA, group_id="readers", auto_offset_reset="earliest")
got = wait_for(lambda: consumer.poll(timeout_ms=1000), 30)
saw(f"30 s of poll(): {got}, no error")
expect(not got, "a group gets messages without an offsets topic")
try:
    consumer.committed(TopicPartition("ticks", 0), timeout_ms=5000)
    expect(False, "committed() answers without an offsets topic")
except errors.KafkaTimeoutError:
    saw("committed(): KafkaTimeoutError")
lone = KafkaConsumer("ticks", bootstrap_servers=KAFKA, group_id=None, auto_offset_reset="earliest")
got = wait_for(lambda: lone.poll(timeout_ms=1000))
saw(f"a consumer without a group: {sum(map(len, got.values()))} message")
expect(got, "a consumer without a group gets nothing either")
PY
