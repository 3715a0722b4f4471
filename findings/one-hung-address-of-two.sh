#!/usr/bin/env bash
# One hung address among the bootstrap servers makes about every second start fail.
#
# Guess:   The client goes on to the next address.
# Happens: One address is chosen by chance, and gets the whole bootstrap_timeout_ms.
# Matters: To a cluster in which one machine hangs: consumers can't be restarted, though Kafka works.
# Witness: When this changes, tests/README.md's "One hung address of several" can go.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: 8 of 16 constructors failed after 15 s, beside a Kafka that answers

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os
import socket
from concurrent.futures import ThreadPoolExecutor

from finding import expect, saw
from kafka import KafkaConsumer, errors

hung = socket.create_server(("127.0.0.1", 0))  # accepts, and never answers
addresses = [os.environ["KAFKA"], f"127.0.0.1:{hung.getsockname()[1]}"]


def start(_):
    try:
        KafkaConsumer(bootstrap_servers=addresses, bootstrap_timeout_ms=15_000).close()
    except errors.KafkaTimeoutError:
        return False
    return True


with ThreadPoolExecutor(16) as pool:
    failed = list(pool.map(start, range(16))).count(False)
saw(f"{failed} of 16 constructors failed after 15 s, beside a Kafka that answers")
expect(failed > 0, "a hung address makes no start fail")
expect(failed < 16, "a hung address makes each start fail")
PY
