#!/usr/bin/env bash
# A consumer with short polls forgets its group's answer, and never reads an added partition.
#
# Guess:   A short poll() leaves the rest of a join to the next one.
# Happens: When a partition is added, a member whose join takes longer than one poll() never applies its result:
#          Kafka calls the group Stable, the member itself goes on rebalancing. Longer polls afterwards do not
#          help; a restart does.
# Matters: To loops with poll(timeout_ms=0) or a few milliseconds. On a busy machine polls of 200 ms were too
#          short as well.
# Witness: When this changes, consumer1.py's poll(timeout_ms=1000) may be of any length.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: poll(timeout_ms=5000): a partition is added, and the member has 2
#   saw: poll(timeout_ms=1): it has 1; the group is Stable to Kafka, <rebalancing> to the member
#   saw: 30 s more, now with poll(timeout_ms=5000): it has 1
#   saw: a message to each partition: it reads [0]

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewPartitions, NewTopic

KAFKA = os.environ["KAFKA"]
admin = KafkaAdminClient(bootstrap_servers=KAFKA)
producer = KafkaProducer(bootstrap_servers=KAFKA)


def member(topic, timeout_ms):
    """Return a lone member of a group after a partition was added to its topic, and how many it has then."""
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    consumer = KafkaConsumer(topic, bootstrap_servers=KAFKA, group_id=topic, metadata_max_age_ms=1000)
    expect(poll_until_it_has(consumer, 1, 5000), "a new member is given no partition")
    admin.create_partitions({topic: NewPartitions(2)})
    poll_until_it_has(consumer, 2, timeout_ms)
    return consumer, len(consumer.assignment())


def poll_until_it_has(consumer, count, timeout_ms):
    def has():
        consumer.poll(timeout_ms=timeout_ms)
        return len(consumer.assignment()) == count

    return wait_for(has, 30, every=0)


_, count = member("calm", 5000)
saw(f"poll(timeout_ms=5000): a partition is added, and the member has {count}")
expect(count == 2, "a member that polls calmly misses the added partition")
hasty, count = member("hasty", 1)
state = admin.describe_groups(["hasty"])["hasty"]["group_state"]
saw(f"poll(timeout_ms=1): it has {count}; the group is {state} to Kafka, {hasty.group_metadata().state} to the member")
expect(count == 1, "a member that polls hastily finds the added partition")
healed = poll_until_it_has(hasty, 2, 5000)
saw(f"30 s more, now with poll(timeout_ms=5000): it has {len(hasty.assignment())}")
expect(not healed, "longer polls put that right")
for partition in (0, 1):
    producer.send("hasty", b"1", partition=partition).get(timeout=60)
got = []
wait_for(lambda: got.extend(hasty.poll(timeout_ms=1000)), 15)
saw(f"a message to each partition: it reads {[tp.partition for tp in got]}")
expect(1 not in [tp.partition for tp in got], "it reads the added partition all the same")
PY
