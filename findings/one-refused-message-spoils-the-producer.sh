#!/usr/bin/env bash
# One message that Kafka refuses, and the producer stores nothing any more.
#
# Guess:   The refused message fails, and the next one is stored.
# Happens: An idempotent KafkaProducer, the default, fails every later message, of every topic, with the first
#          one's error, though Kafka would take them. Without idempotence it goes on, and so does
#          confluent-kafka with it. The same was seen with MessageSizeTooLargeError, and with InvalidRecordError
#          of a compacted topic.
# Matters: To producers that log a failed message and go on: from then on each one fails, with a wrong reason. A
#          new producer helps.
# Witness: When this changes, producer1.py may go on after a tick that Kafka refuses. It ends, which is right
#          today.
# Seen:    2026-11-29, with kafka-python 3.0.12, confluent-kafka 2.16.1, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: a message: stored
#   saw: one that is two hours ahead of Kafka's clock: InvalidTimestampError
#   saw: a good one after it: InvalidTimestampError
#   saw: a good one, to another topic: InvalidTimestampError
#   saw: a good one, ten seconds later: InvalidTimestampError
#   saw: enable_idempotence=False, two hours ahead: InvalidTimestampError
#   saw: a good one after it: stored
#   saw: confluent-kafka, idempotent: INVALID_TIMESTAMP, then stored

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12 confluent-kafka==2.16.1
start_kafka
"$PYTHON" - <<'PY'
import os
import time

import confluent_kafka
from finding import expect, saw
from kafka import KafkaProducer, errors

KAFKA, HOUR = os.environ["KAFKA"], 3600_000


def send(producer, what, hours_ahead=0, topic="ticks"):
    timestamp = int(time.time() * 1000) + hours_ahead * HOUR
    try:
        producer.send(topic, b"a tick", timestamp_ms=timestamp).get(timeout=60)
        answer = "stored"
    except errors.KafkaError as error:
        answer = type(error).__name__
    saw(f"{what}: {answer}")
    return answer


producer = KafkaProducer(bootstrap_servers=KAFKA)
expect(send(producer, "a message") == "stored", "nothing is stored")
refused = send(producer, "one that is two hours ahead of Kafka's clock", hours_ahead=2)
expect(refused == "InvalidTimestampError", "Kafka takes a message from the future, or refuses it otherwise")
after = [send(producer, "a good one after it")]
after.append(send(producer, "a good one, to another topic", topic="others"))
time.sleep(10)
after.append(send(producer, "a good one, ten seconds later"))

plain = KafkaProducer(bootstrap_servers=KAFKA, enable_idempotence=False)
send(plain, "enable_idempotence=False, two hours ahead", hours_ahead=2)
expect(send(plain, "a good one after it") == "stored", "without idempotence, too, the producer is spoilt")

answers = []
other = confluent_kafka.Producer({"bootstrap.servers": KAFKA, "enable.idempotence": True})
for ahead in (2, 0):
    timestamp = int(time.time() * 1000) + ahead * HOUR
    other.produce("ticks", b"a tick", timestamp=timestamp, on_delivery=lambda error, _: answers.append(error))
    other.flush(60)
saw(f"confluent-kafka, idempotent: {answers[0].name()}, then {answers[1] or 'stored'}")
expect(answers[1] is None, "in confluent-kafka, too, the producer is spoilt")
expect(after == ["InvalidTimestampError"] * 3, "the producer goes on after a refused message")
PY
