#!/usr/bin/env bash
# A topic that a client may not read looks like one that does not exist.
#
# Guess:   poll() raises TopicAuthorizationFailedError.
# Happens: partitions_for_topic() answers as for a topic that is not there, and poll() returns nothing, for
#          ever, without an error. Creating the topic fails, since it exists.
# Matters: To whoever waits for a topic to be created: the wait never ends.
# Witness: When this changes, consumer1.py's `Waiting for topic …` can tell the two cases apart.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, StandardAuthorizer, Python 3.11:
#
#   saw: partitions_for_topic('ticks'): set(); of a topic that does not exist: set()
#   saw: 20 s of poll(): {}, no error
#   saw: create_topics(): TopicAlreadyExistsError

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer \
    allow.everyone.if.no.acl.found=true
"$PYTHON" - <<'PY'
import os

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, KafkaConsumer, errors
from kafka.admin import ACL, ACLOperation, ACLPermissionType, NewTopic, ResourcePattern, ResourceType

KAFKA = os.environ["KAFKA"]
admin = KafkaAdminClient(bootstrap_servers=KAFKA)
admin.create_topics([NewTopic("ticks", num_partitions=1, replication_factor=1)])
consumer = KafkaConsumer(bootstrap_servers=KAFKA)
expect(wait_for(lambda: consumer.partitions_for_topic("ticks")), "a topic without a rule is not seen by everyone")
topic = ResourcePattern(ResourceType.TOPIC, "ticks")
rule = ACL("User:somebody-else", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, topic)
admin.create_acls([rule])  # from now on the topic is somebody else's alone

consumer = KafkaConsumer("ticks", bootstrap_servers=KAFKA, group_id="readers", auto_offset_reset="earliest")
told = wait_for(lambda: consumer.partitions_for_topic("ticks"), 5)
saw(f"partitions_for_topic('ticks'): {told}; of a topic that does not exist: {consumer.partitions_for_topic('none')}")
expect(not told, "partitions_for_topic() tells of a topic that it may not see")
try:
    messages = wait_for(lambda: consumer.poll(timeout_ms=1000), 20)
    saw(f"20 s of poll(): {messages}, no error")
except errors.AuthorizationFailedError:
    expect(False, "poll() says that the topic may not be read")
try:
    admin.create_topics([NewTopic("ticks", num_partitions=1, replication_factor=1)])
    expect(False, "the topic can be created once more")
except errors.TopicAlreadyExistsError:
    saw("create_topics(): TopicAlreadyExistsError")
PY
