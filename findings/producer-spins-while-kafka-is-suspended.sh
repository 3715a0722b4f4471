#!/usr/bin/env bash
# A producer with a message to send is busy for as long as Kafka is suspended.
#
# Guess:   It waits for Kafka's answer and takes no processor time.
# Happens: When request_timeout_ms is over (30 s by default, here 5 s), the sender polls without a pause while
#          it connects: up to a whole core, on a busy machine less. Where Kafka was killed it takes next to
#          nothing.
# Matters: To laptops, and hosts with many producers when a broker hangs.
# Witness: When this changes, tests/README.md's "A producer whose Kafka is suspended" can go.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: Kafka suspended, a message to send: 0.41 of a core
#   saw: Kafka killed: 0.01 of a core

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os
import signal
import sys
import time

from finding import expect, saw
from kafka import KafkaProducer

KAFKA, KAFKA_PID = os.environ["KAFKA"], int(os.environ["KAFKA_PID"])
producer = KafkaProducer(bootstrap_servers=KAFKA, request_timeout_ms=5000, delivery_timeout_ms=300_000)
producer.send("ticks", b"1").get(timeout=60)


def cores_taken(signal_number):
    """Return how much of a core this process takes, from 10 to 20 s after Kafka got this signal."""
    os.kill(KAFKA_PID, signal_number)
    producer.send("ticks", b"2")
    time.sleep(10)
    before = time.process_time()
    time.sleep(10)
    return (time.process_time() - before) / 10


suspended = cores_taken(signal.SIGSTOP)
saw(f"Kafka suspended, a message to send: {suspended:.2f} of a core")
killed = cores_taken(signal.SIGKILL)
saw(f"Kafka killed: {killed:.2f} of a core")
expect(suspended > 3 * killed, "while Kafka is suspended the producer waits in peace")
sys.stdout.flush()
os._exit(0)  # the message can't be sent any more
PY
