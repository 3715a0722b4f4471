#!/usr/bin/env bash
# In an outage poll() is silent, and so is the commit() of a member without a partition.
#
# Guess:   poll() or commit() of each member raises once Kafka is gone.
# Happens: poll() returns nothing and raises nothing. commit() raises for a member that has a partition, and
#          returns at once, without a question, for one that has none.
# Matters: To a consumer that waits in reserve: it can't tell an outage from having nothing to do. Nor is it
#          told that it was fenced.
# Witness: When this changes, tests/TROUBLESHOOTING.md need not say that a waiting consumer notices no outage, and
#          consumer1.py's comment on commit() can go if poll() raises.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: two members, with 1 and 0 partitions
#   saw: Kafka is killed: for 20 s poll() of both returns nothing and raises nothing
#   saw: the member without a partition: commit() returns as if all were well
#   saw: the member with one: commit() raises KafkaTimeoutError

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os
import signal
import threading
import time

from finding import expect, saw, wait_for
from kafka import KafkaConsumer, KafkaProducer, errors

KAFKA, KAFKA_PID = os.environ["KAFKA"], int(os.environ["KAFKA_PID"])
KafkaProducer(bootstrap_servers=KAFKA).send("ticks", b"1").get(timeout=60)


def member():
    return KafkaConsumer(
        "ticks",
        bootstrap_servers=KAFKA,
        group_id="readers",
        request_timeout_ms=4000,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )


members = [member(), member()]  # of a topic with one partition
joined = threading.Event()


def keep_polling(member):
    while not joined.is_set():
        member.poll(timeout_ms=200)


def shared_out():
    return sum(len(each.assignment()) for each in members) == 1


threads = [threading.Thread(target=keep_polling, args=(each,)) for each in members]
for thread in threads:
    thread.start()
shared = wait_for(shared_out)
time.sleep(10)  # till the group has settled: a member that joins again has no partition meanwhile
joined.set()
for thread in threads:
    thread.join()
waiting, reading = sorted(members, key=lambda each: len(each.assignment()))
saw(f"two members, with {len(reading.assignment())} and {len(waiting.assignment())} partitions")
expect(shared and shared_out(), "one partition is not with one of two members")

os.kill(KAFKA_PID, signal.SIGKILL)
wait_for(lambda: any(each.poll(1000) for each in members), 20)
saw("Kafka is killed: for 20 s poll() of both returns nothing and raises nothing")
try:
    waiting.commit()
    saw("the member without a partition: commit() returns as if all were well")
except errors.KafkaError:
    expect(False, "commit() with nothing assigned asks Kafka")
try:
    reading.commit()
    expect(False, "commit() hides an outage")
except errors.KafkaError as error:
    saw(f"the member with one: commit() raises {type(error).__name__}")
PY
