#!/usr/bin/env bash
# kafka-python's admin client raises what Kafka refuses about topics, and returns what Kafka refuses about groups.
#
# Guess:   When Kafka refuses, the method raises the error, or at least the answer is easy to tell from a good one.
# Happens: With topics, partitions and records it raises. Setting a group's offsets, deleting them or the group, removing
#          a member, and changing a topic's settings return in the usual way; the error is a value in the result, as a
#          class, as its name or as a sentence. A rewind of a group that is reading changes nothing, and looks done.
# Matters: To whoever rewinds groups or changes settings from a program.
# Witness: When this changes, `configure` and `commit` in tests/real_kafka/client.py need not look at the answer.
# Seen:    2026-11-29, with kafka-python 3.0.12, Apache Kafka 4.3.1, Python 3.11:
#
#   saw: create_topics, a topic that exists: raises TopicAlreadyExistsError
#   saw: create_partitions, fewer than there are: raises InvalidPartitionsError
#   saw: delete_records, beyond the end: raises OffsetOutOfRangeError
#   saw: alter_group_offsets, a group that reads: returns {TopicPartition(topic='ticks', partition=0): <class
#     'kafka.errors.UnknownMemberIdError'>}
#   saw: delete_group_offsets, a group that reads: returns {TopicPartition(topic='ticks', partition=0): <class
#     'kafka.errors.GroupSubscribedToTopicError'>}
#   saw: delete_groups, a group that reads: returns {'readers': 'NonEmptyGroupError'}
#   saw: remove_group_members, nobody of this name: returns {'nobody': <class 'kafka.errors.UnknownMemberIdError'>}
#   saw: alter_configs, a value that is no number: returns {'topic': {'ticks': '[Error 40] InvalidConfigurationError:
#     Invalid value soon for configuration retention.ms: Not a number of type LONG'}}
#   saw: the group's committed offset: 5 before, 5 after all this

source "$(dirname "$0")/lib/kafka.sh"
python_with kafka-python==3.0.12
start_kafka
"$PYTHON" - <<'PYTHON'
import os

from finding import expect, saw, wait_for
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, MemberToRemove, NewTopic
from kafka.errors import KafkaError

SERVERS, PLACE = os.environ["KAFKA"], TopicPartition("ticks", 0)
SETTINGS = ConfigResource(ConfigResourceType.TOPIC, "ticks", {"retention.ms": "soon"})
admin = KafkaAdminClient(bootstrap_servers=SERVERS)
admin.create_topics([NewTopic("ticks", num_partitions=2, replication_factor=1)])
admin.wait_for_topics(["ticks"])
with KafkaProducer(bootstrap_servers=SERVERS) as producer:
    for _ in range(5):
        producer.send("ticks", b"tick", partition=0)
reader = KafkaConsumer(
    "ticks", bootstrap_servers=SERVERS, group_id="readers", auto_offset_reset="earliest", enable_auto_commit=False
)


def has_read():
    reader.poll(timeout_ms=500)
    return reader.assignment() and reader.position(PLACE) == 5


expect(wait_for(has_read), "a consumer does not read five messages")
reader.commit()
before = reader.committed(PLACE)

RAISES = {
    "create_topics, a topic that exists": lambda: admin.create_topics([NewTopic("ticks", 1, 1)]),
    "create_partitions, fewer than there are": lambda: admin.create_partitions({"ticks": 1}),
    "delete_records, beyond the end": lambda: admin.delete_records({PLACE: 42}),
}
RETURNS = {
    "alter_group_offsets, a group that reads": lambda: admin.alter_group_offsets(
        "readers", {PLACE: OffsetAndMetadata(0, "", -1)}
    ),
    "delete_group_offsets, a group that reads": lambda: admin.delete_group_offsets("readers", [PLACE]),
    "delete_groups, a group that reads": lambda: admin.delete_groups(["readers"]),
    "remove_group_members, nobody of this name": lambda: admin.remove_group_members(
        "readers", [MemberToRemove(group_instance_id="nobody")]
    ),
    "alter_configs, a value that is no number": lambda: admin.alter_configs([SETTINGS]),
}
for what, ask in {**RAISES, **RETURNS}.items():
    reader.poll(timeout_ms=100)  # it stays in its group
    try:
        answer = f"returns {ask()}"
    except KafkaError as error:
        answer = f"raises {type(error).__name__}"
    saw(f"{what}: {answer}")
    expect(answer.startswith("raises") == (what in RAISES), f"{what}: {answer}")
    expect("Error" in answer, f"{what} is not refused")
after = reader.committed(PLACE)
saw(f"the group's committed offset: {before} before, {after} after all this")
expect(before == after == 5, "a refused change has changed the committed offset")
PYTHON
