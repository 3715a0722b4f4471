#!/usr/bin/env bash
# A KafkaConsumer that finds no Kafka leaves a thread and four descriptors behind.
#
# Guess:   A constructor that raises has cleaned up, so it can be called until Kafka is there.
# Happens: Each failed constructor leaves its IO thread and at least four descriptors, and there is no object to
#          close.
# Matters: To a service that waits for Kafka in a loop of constructors.
# Witness: When this changes, consumer1.py's reconnect() can make a new consumer at once; the note on `patience`
#          in tests/real_kafka/client.py can go.
# Seen:    2026-11-29, with kafka-python 3.0.12, psutil 7.2.2, Python 3.11:
#
#   saw: ten seconds after 5 failed constructors: 5 threads and 20 descriptors more

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12 psutil==7.2.2
"$PYTHON" - <<'PY'
import contextlib
import gc
import threading
import time

import psutil
from finding import expect, free_ports, saw
from kafka import KafkaConsumer, errors

nobody = f"127.0.0.1:{free_ports(1)[0]}"
this = psutil.Process()
threads, descriptors = threading.active_count(), this.num_fds()
for _ in range(5):
    with contextlib.suppress(errors.KafkaTimeoutError):
        KafkaConsumer(bootstrap_servers=nobody, bootstrap_timeout_ms=500)
        expect(False, "a constructor that finds no Kafka raises no KafkaTimeoutError")
gc.collect()
time.sleep(10)
threads, descriptors = threading.active_count() - threads, this.num_fds() - descriptors
saw(f"ten seconds after 5 failed constructors: {threads} threads and {descriptors} descriptors more")
expect(threads == 5 and descriptors >= 20, "a failed constructor leaves no thread or fewer than 4 descriptors behind")
PY
