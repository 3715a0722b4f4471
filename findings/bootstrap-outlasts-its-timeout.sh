#!/usr/bin/env bash
# KafkaConsumer.bootstrap(timeout_ms=1000) can take as long as Kafka is away.
#
# Guess:   It raises KafkaTimeoutError after a second, as its documentation says.
# Happens: While another bootstrap is under way it waits for that one, with that one's limit. With api_version
#          it has no limit at all while Kafka accepts connections and does not answer.
# Matters: To whoever asks in a loop whether Kafka is back, and wants to end on Ctrl+C in between.
# Witness: When this changes, the pages need not say that Ctrl+C may take half a minute while Kafka is away.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: with api_version, Kafka suspended for 15 s: bootstrap(timeout_ms=1000) takes 15.0 s
#   saw: without it, Kafka killed: 1.0 s
#   saw: while a bootstrap(timeout_ms=15000) is under way: 14.0 s

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import contextlib
import os
import signal
import threading
import time

from finding import expect, saw
from kafka import KafkaConsumer, errors

KAFKA, KAFKA_PID = os.environ["KAFKA"], int(os.environ["KAFKA_PID"])


def bootstrap(consumer, timeout_ms):
    start = time.monotonic()
    with contextlib.suppress(errors.KafkaTimeoutError):
        consumer.bootstrap(timeout_ms=timeout_ms, refresh=True)
    return time.monotonic() - start


consumer = KafkaConsumer(bootstrap_servers=KAFKA)
told_version = KafkaConsumer("ticks", bootstrap_servers=KAFKA, api_version=(4, 0))
os.kill(KAFKA_PID, signal.SIGSTOP)  # Kafka is away, for 15 seconds
threading.Timer(15, os.kill, (KAFKA_PID, signal.SIGCONT)).start()
took = bootstrap(told_version, 1000)
saw(f"with api_version, Kafka suspended for 15 s: bootstrap(timeout_ms=1000) takes {took:.1f} s")
expect(took > 10, "a consumer with api_version keeps the limit of bootstrap()")

os.kill(KAFKA_PID, signal.SIGKILL)
time.sleep(1)
took = bootstrap(consumer, 1000)
saw(f"without it, Kafka killed: {took:.1f} s")
expect(took < 8, "bootstrap() keeps no limit, even alone")
first = threading.Thread(target=bootstrap, args=(consumer, 15_000))
first.start()
time.sleep(1)
took = bootstrap(consumer, 1000)
first.join()
saw(f"while a bootstrap(timeout_ms=15000) is under way: {took:.1f} s")
expect(took > 10, "bootstrap() keeps its own limit while another is under way")
PY
