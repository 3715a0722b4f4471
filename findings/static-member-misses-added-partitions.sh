#!/usr/bin/env bash
# A static member that was restarted never reads added partitions.
#
# Guess:   Members notice added partitions after metadata.max.age.ms, restarted or not.
# Happens: A static member that comes back within its session takes itself for a follower, and only a leader
#          looks for added partitions. kafka-python joins with JoinGroup 7; KIP-814's answer needs version 9.
#          Its metadata show the new partition, and it never reads it.
# Matters: To whoever runs one static consumer, restarts it once, and adds partitions later: they fill up
#          unread, and nothing is said.
# Witness: When this changes, the workaround in poll_print_commit() of consumer1.py can go.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: first start: a partition is added, and the member has 2
#   saw: second start: a partition is added, and 45 s later the member has 2
#   saw: its own metadata show all 3

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import os

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.admin import NewPartitions, NewTopic

KAFKA = os.environ["KAFKA"]
admin = KafkaAdminClient(bootstrap_servers=KAFKA)
admin.create_topics([NewTopic("ticks", num_partitions=1, replication_factor=1)])


def consumer():
    return KafkaConsumer(
        "ticks",
        bootstrap_servers=KAFKA,
        group_id="readers",
        group_instance_id="reader-1",
        session_timeout_ms=10_000,
        metadata_max_age_ms=1000,
    )


def sees(member, count, seconds):
    def assigned():
        member.poll(timeout_ms=5000)  # long: a join that outlasts poll() may be forgotten
        return len(member.assignment()) == count

    return wait_for(assigned, seconds)


first = consumer()
expect(sees(first, 1, 60), "the first start is given no partition")
admin.create_partitions({"ticks": NewPartitions(2)})
expect(sees(first, 2, 60), "a member that was never restarted misses the partition as well")
saw("first start: a partition is added, and the member has 2")
first.close()

second = consumer()  # within the session: as a restart
expect(sees(second, 2, 60), "the restarted member is not given its two partitions back")
admin.create_partitions({"ticks": NewPartitions(3)})
found = sees(second, 3, 45)
saw(f"second start: a partition is added, and 45 s later the member has {len(second.assignment())}")
known = wait_for(lambda: second.partitions_for_topic("ticks") == {0, 1, 2})
expect(known, "its metadata do not show the third partition")
saw("its own metadata show all 3")
expect(not found, "a static member that comes back looks for added partitions")
PY
