#!/usr/bin/env bash
# Asking about a group that does not exist creates a topic of 50 partitions.
#
# Guess:   A question changes nothing.
# Happens: describe_groups() looks for the group's coordinator, and that makes Kafka create __consumer_offsets.
#          Listing the groups does not.
# Matters: To tools that only look, and tests that compare topics before and after.
# Witness: When this changes, tests/real_kafka/client.py may ask about groups that Kafka has not listed.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: a new Kafka: topics [], groups []
#   saw: describe_groups(['nobody']): CoordinatorNotAvailableError
#   saw: then: topics ['__consumer_offsets'], with [50] partitions

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PY'
import contextlib
import os

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, errors

admin = KafkaAdminClient(bootstrap_servers=os.environ["KAFKA"])
before, groups = admin.list_topics(), admin.list_groups()
saw(f"a new Kafka: topics {before}, groups {groups}")
expect(before == [] and groups == [], "listing the groups creates a topic, too")
with contextlib.suppress(errors.CoordinatorNotAvailableError):
    admin.describe_groups(["nobody"])
    expect(False, "the first question about a group is answered at once")
saw("describe_groups(['nobody']): CoordinatorNotAvailableError")


def partitions():
    return [len(each["partitions"]) for each in admin.describe_topics() if each["name"] == "__consumer_offsets"]


made = wait_for(partitions)
saw(f"then: topics {admin.list_topics()}, with {made} partitions")
expect(made == [50], "the question creates no __consumer_offsets of 50 partitions")
PY
