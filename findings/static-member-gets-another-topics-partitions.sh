#!/usr/bin/env bash
# A static member that comes back for another topic is given its old topic's partitions.
#
# Guess:   A restarted consumer is given partitions of the topic that it subscribes to now.
# Happens: Within its session Kafka gives it what it held before. It reads nothing for 5 to 15 s, until the
#          group has shared out its partitions anew, and its old partition is read by nobody meanwhile. Kafka
#          compares the names of the assignors, not the topics; kafka-python refuses what it is given and joins
#          again.
# Matters: To deployments that change a consumer's topic and keep its group.instance.id.
# Witness: When this changes, README.md's advice to change the group along with the topic is needed less, and
#          tests/real_kafka/client.py's `_member` can take what Kafka says.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: reader-1 reads bread: Kafka has given it {'bread': [0]}
#   saw: it comes back for cheese: Kafka has given it {'bread': [0]}
#   saw: its first message of cheese comes after 6.2 s

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os
import threading
import time

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

KAFKA = os.environ["KAFKA"]
admin = KafkaAdminClient(bootstrap_servers=KAFKA)
admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1) for topic in ("bread", "cheese")])
producer = KafkaProducer(bootstrap_servers=KAFKA)
for topic in ("bread", "cheese"):
    for partition in (0, 1):
        producer.send(topic, b"1", partition=partition).get(timeout=60)


def member(topic, name):
    return KafkaConsumer(
        topic,
        bootstrap_servers=KAFKA,
        group_id="readers",
        group_instance_id=name,
        session_timeout_ms=10_000,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )


def keep_reading(consumer):
    while not stop.is_set():
        consumer.poll(timeout_ms=5000)


def holds(name):
    """Return the partitions that this member holds, by topic, as Kafka tells."""
    for each in admin.describe_groups(["readers"])["readers"]["members"]:
        if each["group_instance_id"] == name and isinstance(each["member_assignment"], dict):
            return {part["topic"]: part["partitions"] for part in each["member_assignment"]["assigned_partitions"]}
    return {}


stop = threading.Event()
other = member("bread", "reader-2")
threading.Thread(target=keep_reading, args=(other,)).start()
first = member("bread", "reader-1")
expect(wait_for(lambda: first.poll(5000)), "bread is not read")
saw(f"reader-1 reads bread: Kafka has given it {holds('reader-1')}")
first.close()

got, told = [], []


def read_cheese():
    second = member("cheese", "reader-1")  # within its session, as after a restart with another setting
    got.extend(wait_for(lambda: second.poll(5000)).values())


start = time.monotonic()
reading = threading.Thread(target=read_cheese)
reading.start()
while reading.is_alive():
    told.append(holds("reader-1"))
    time.sleep(0.1)
took = time.monotonic() - start
stop.set()
saw(f"it comes back for cheese: Kafka has given it {told[0]}")
saw(f"its first message of cheese comes after {took:.1f} s")
expect(got, "cheese is never read")
expect(told[0] == {"bread": [0]}, "Kafka gives a static member that comes back what it subscribes to now")
PY
